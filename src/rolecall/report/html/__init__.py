"""A plan as one HTML file that asks for nothing from anywhere: no font, no script, no picture but its own."""

from rolecall.report.html.page import html

__all__ = ["html"]
