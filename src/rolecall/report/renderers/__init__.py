"""Lays out documents, with one module for each format. Renderers depend on documents, not on builders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rolecall.report.document import Document


def render_document(document: Document, form: str, folder: str = "", main: str = "rolecall.yaml") -> str:
    """Return a document in one format. ``folder`` leads from the repository's root to the configuration, whose file
    there is ``main``. Only the format's own module is imported."""
    match form:
        case "text":
            from rolecall.report.line import plain
            from rolecall.report.renderers.text import document_lines

            return plain(document_lines(document))
        case "markdown":
            from rolecall.report.renderers.markdown import markdown

            return markdown(document)
        case "html":
            from rolecall.report.renderers.html import html

            return html(document)
        case "github":
            from rolecall.report.renderers.github import github

            return github(document, folder)
        case "gitlab":
            from rolecall.report.renderers.gitlab import gitlab

            return gitlab(document)
        case "junit":
            from rolecall.report.renderers.junit import junit

            return junit(document)
        case "sarif":
            from rolecall.report.renderers.sarif import sarif

            return sarif(document, folder, main)
        case "csv":
            from rolecall.report.renderers.csv import csv

            return csv(document)
    raise ValueError(form)
