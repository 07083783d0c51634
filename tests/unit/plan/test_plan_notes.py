"""Test warnings about metadata, and about groups that only the source of users has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import orgs
import pytest
import saml
from small_org import ask, config, crowd, live, person

from rolecall.errors import Where
from rolecall.model.directory import Gaps
from rolecall.model.settings import Sso
from rolecall.plan.lint.notes import metadata_notes
from rolecall.plan.lint.sources import disagreements

ENTRA = "https://sts.windows.net/91ad9bcb-d637-579d-818a-e391a5631aa1/"


def noted(metadata: str | None, day: date = orgs.TODAY, *, idp: object = None, org_idp: str = "okta") -> list:
    sso = Sso(metadata=metadata) if idp is None else Sso(metadata=metadata, idp=idp)
    return list(metadata_notes(config(None, sso=sso), live({}, sso=Sso(True, "SSO", org_idp, False, False)), day))


@pytest.mark.parametrize(
    ("certificate", "day", "expired"),
    [
        (saml.EXPIRED, date(2025, 6, 30), False),
        (saml.EXPIRED, date(2025, 7, 1), True),
        (saml.VALID, orgs.TODAY, False),
        ("MIIB", orgs.TODAY, False),
    ],
)
def test_metadata_is_expired_from_the_day_after_its_last(certificate, day, expired):
    notes = noted(saml.metadata(saml.OKTA, certificate), day)
    assert [note.code for note in notes] == (["metadata_expired"] if expired else [])
    for note in notes:
        assert (note.severity, note.where) == ("warning", Where("rolecall.yaml", 4, 1))
        assert "30 Jun 2025" in note.message
        assert note.hint


@pytest.mark.parametrize(
    ("entity", "org_idp", "idp", "other"),
    [
        (saml.OKTA, "okta", None, False),
        (ENTRA, "okta", None, True),
        (saml.OKTA, "entra", None, True),
        (ENTRA, "okta", "entra", False),
        ("urn:some:idp", "okta", None, True),
    ],
)
def test_metadata_of_another_idp_than_the_orgs_is_noted_unless_the_config_names_one(entity, org_idp, idp, other):
    notes = noted(saml.metadata(entity), idp=idp, org_idp=org_idp)
    assert [note.code for note in notes] == (["other_idp"] if other else [])
    for note in notes:
        assert (note.severity, note.where) == ("warning", Where("rolecall.yaml", 4, 1))
        assert entity in note.message
        assert note.hint


@pytest.mark.parametrize("metadata", [None, "", "<html/>"])
def test_what_is_no_metadata_has_no_note(metadata):
    assert noted(metadata) == []


def disagreement(config_groups, **gaps):
    org = live({"A": "member: X"})
    asked = ask(config(config_groups), org, [person("ann", "A")])
    return list(disagreements(asked._replace(directory=replace(crowd([person("ann", "A")]), gaps=Gaps(**gaps)))))


@pytest.mark.parametrize(
    ("groups", "named"),
    [({"A": "member: X", "New": "member: Y"}, ["Only"]), (None, ["New", "Only"])],
)
def test_a_group_that_only_the_source_has_is_named_unless_the_config_has_it(groups, named):
    (warning,) = disagreement(groups, unknown=("New", "Only"))
    assert (warning.code, warning.severity) == ("people_group_unknown", "warning")
    assert [name for name in ("New", "Only") if f"`{name}`" in warning.message] == named
    assert warning.hint


def test_a_group_without_users_that_the_source_has_under_a_near_name_is_told():
    missing, unknown = disagreement({"A": "member: X"}, missing={"Writer-Legal": 3}, unknown=("Writer_Legal",))
    assert (missing.code, unknown.code) == ("people_group_missing", "people_group_unknown")
    assert "`Writer_Legal`" in missing.hint
    (alone,) = disagreement({"A": "member: X"}, missing={"Writer-Legal": 3})
    assert alone.hint
    assert "`" not in alone.hint
    (known,) = disagreement({"Writer-Legal": "member: X"}, unknown=("Writer_Legal",))
    assert "`Writer-Legal`" in known.hint


def test_counts_that_differ_are_told_with_both_numbers():
    (warning,) = disagreement({"A": "member: X"}, differing={"A": (57, 55)})
    assert (warning.code, warning.severity) == ("people_counts_differ", "warning")
    assert "57" in warning.message
    assert "55" in warning.message
    assert warning.hint == "push the group again in the IdP; if users are read from a file, export it again"
