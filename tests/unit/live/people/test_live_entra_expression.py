"""Test expressions of Entra's attribute mappings: their values, and that nothing is guessed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.live.people.entra_address import (
    FUNCTIONS,
    Attribute,
    NotEvaluable,
    attributes,
    evaluate,
    functions,
    parse,
    read_addresses,
)
from rolecall.live.people.lines import external_address, is_guest_name

USER = {"mail": "Ann.Lee@acme.com", "givenName": "Ann", "surname": "\xd6z", "nick": "a l", "empty": ""}


def given_by(text: str) -> object:
    return evaluate(parse(text), USER.get)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[mail]", "Ann.Lee@acme.com"),
        (" [ mail ] ", "Ann.Lee@acme.com"),
        ("[none]", None),
        ('"a \\"b\\" \\\\"', 'a "b" \\'),
        ("ToLower([mail])", "ann.lee@acme.com"),
        ("ToLower([mail], )", "ann.lee@acme.com"),
        ("ToUpper([none])", None),
        ('Trim(" a ")', "a"),
        ('Coalesce([none], [empty], "x")', "x"),
        ("Coalesce([none])", None),
        ('Append([givenName], "@acme.com")', "Ann@acme.com"),
        ('Join("", Left([givenName], 1), ".", [mail])', "A.Ann.Lee@acme.com"),
        ('Join("@", [givenName], Item(Split([mail], "@"), 2))', "Ann@acme.com"),
        ("Mid([mail], 5, 3)", "Lee"),
        ("StripSpaces([nick])", "al"),
        ('Replace([mail], "acme", , , "b", , )', "Ann.Lee@b.com"),
        ('Replace([mail], ".Lee", , , "", , )', "Ann@acme.com"),
        ("NormalizeDiacritics([mail])", "Ann.Lee@acme.com"),
        ("IgnoreFlowIfNullOrEmpty([empty])", None),
    ],
)
def test_what_an_expression_gives(text: str, value: str | None) -> None:
    assert given_by(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail",
        "[mail",
        "[mail] [mail]",
        "ToLower(",
        "ToLower([mail]",
        "ToLower([mail] [mail])",
        "tolower([mail])",
        'Switch([mail], "a")',
        'IIF([mail]="a", "b", "c")',
        'ToLower([mail], "tr-TR")',
        "NormalizeDiacritics([surname])",
        'Append([none], "@acme.com")',
        "Append([mail])",
        "Mid([mail], 0, 2)",
        'Mid([mail], "x", 2)',
        'Item(Split([mail], "@"), 3)',
        'Replace([mail], , "(.*)@", , "x", , )',
        'Replace([mail], "a", "(.*)@", , "x", , )',
        'Replace([mail], "a", , "group", "x", , )',
        'Replace([mail], "a", , , "x", "[mail]", )',
        'Replace([mail], "a", , , "x", , "template")',
        'Append(Split([mail], "@"), "x")',
        "(" * 50,
        "ToLower(" * 50 + "[mail]" + ")" * 50,
    ],
)
def test_what_is_not_guessed(text: str) -> None:
    with pytest.raises(NotEvaluable):
        given_by(text)


@given(st.text(st.sampled_from('[]"(), \\ToLowerAppendmail1-'), max_size=40))
def test_any_text_is_evaluated_or_unknown(text: str) -> None:
    with contextlib.suppress(NotEvaluable):
        expression = parse(text)
        assert functions(expression) <= FUNCTIONS.keys() or len(functions(expression))
        assert isinstance(attributes(expression), frozenset)
        evaluate(expression, USER.get)


def test_a_wrong_number_of_arguments_is_named() -> None:
    with pytest.raises(NotEvaluable, match=r"^a function has an unknown number of arguments$"):
        given_by("Append([mail])")


def test_the_user_name_comes_before_the_primary_and_then_the_work_email() -> None:
    targets = {
        'emails[type eq "home"].value': "mailNickname",
        'emails[type eq "work"].value': "mail",
        'emails[type eq "home" and primary eq true].value': "employeeId",
        "userName": "userPrincipalName",
        "title": "jobTitle",
    }
    mappings = [{"targetAttributeName": at, "source": {"name": name}} for at, name in targets.items()]
    expressions = [source.expression for source in read_addresses(mappings).sources]
    assert expressions == [Attribute(name) for name in ("userPrincipalName", "employeeId", "mail", "mailNickname")]


def test_names_of_guests() -> None:
    assert external_address("bo_b_partner.com#EXT#@acme.onmicrosoft.com") == "bo_b@partner.com"
    assert external_address("bo_partner.com#ext#@acme.onmicrosoft.com") == "bo@partner.com"
    assert external_address("_partner.com#EXT#@acme.onmicrosoft.com") is None
    assert external_address("bo_partner#EXT#@acme.onmicrosoft.com") is None
    assert not is_guest_name("bo@acme.com")


@given(st.from_regex(r"[a-z_.]{1,8}[a-z]", fullmatch=True), st.from_regex(r"[a-z-]{1,5}\.[a-z]{2,3}", fullmatch=True))
def test_a_guest_s_name_gives_the_address_it_was_made_of(local: str, domain: str) -> None:
    assert external_address(f"{local}_{domain}#EXT#@acme.onmicrosoft.com") == f"{local}@{domain}"


@pytest.mark.parametrize("text", ["", "ToLower(", "ToLower([mail],"])
def test_an_expression_that_ends_unexpectedly_is_told_from_one_that_is_not_understood(text: str) -> None:
    with pytest.raises(NotEvaluable, match="ends"):
        given_by(text)


@pytest.mark.parametrize(("depth", "read"), [(30, True), (31, False)])
def test_an_expression_may_be_nested_thirty_deep(depth: int, read: bool) -> None:
    text = "ToLower(" * depth + "[mail]" + ")" * depth
    if read:
        assert given_by(text) == "ann.lee@acme.com"
    else:
        with pytest.raises(NotEvaluable, match="deep"):
            given_by(text)


def test_where_nothing_is_mapped_to_the_user_name_it_is_assumed_and_said_so() -> None:
    found = read_addresses([])
    assert found.unread
    assert found.problem is None
