"""Test the form of email addresses: NFC, lower case, the domain after IDNA, letters unchanged (R28)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.model.normalise import caseless, domain, domain_of, email


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Ann@ACME.com", "ann@acme.com"),
        (" ann@acme.com\t", "ann@acme.com"),
        ("A\u030asa@acme.com", "\xe5SA@acme.com"),
        ("ann@B\xdcCHER.de", "ann@xn--bcher-kva.de"),
        ("ann@\uff21cme.com", "ann@acme.com"),
        ("ann@b\xfccher\u3002de", "ann@xn--bcher-kva.de"),
        ("STRAU\xdf@acme.com", "strau\xdf@acme.com"),
        ("\u212aim@acme.com", "kim@acme.com"),
    ],
)
def test_one_address(one: str, same: str) -> None:
    assert email(one) == email(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("strau\xdf@acme.com", "strauss@acme.com"),
        ("ann@stra\xdfe.de", "ann@strasse.de"),
        ("\u017fam@acme.com", "sam@acme.com"),
        ("\ufb01n@acme.com", "fin@acme.com"),
        ("f\xf6@acme.com", "fo@acme.com"),
        ("ann+a@acme.com", "ann@acme.com"),
    ],
)
def test_two_addresses(one: str, other: str) -> None:
    assert email(one) != email(other)


@pytest.mark.parametrize(
    "odd", ["", "@", "ann", "\xe4nn", "ann@", "ann@\xe4", "ann@\xe4..de", "a@b@\xe4.de", "ann@\u200b\xe4"]
)
def test_text_that_is_no_address_has_a_form_too(odd: str) -> None:
    assert email(email(odd)) == email(odd)


LETTERS = "aA\xe4\xc4\xdf\u1e9es\u03a3\u03c2\u0130\u0131\u0308\u030a\ufb01\u017f\u212a.@-x n\u3002"
letters = st.text(st.sampled_from(LETTERS), max_size=14)


@given(letters | st.text(max_size=20))
def test_the_form_is_one_and_stays(text: str) -> None:
    assert email(email(text)) == email(text)
    assert email(unicodedata.normalize("NFD", text)) == email(text)
    assert caseless(caseless(text)) == caseless(text)


accounts = st.text(st.sampled_from("abc\xe4\xdf-"), min_size=1, max_size=8)
labels = st.text(st.sampled_from("abc\xf6\xdf"), min_size=1, max_size=8)


@given(accounts, labels)
def test_the_domain_is_written_as_domains_are(local: str, label: str) -> None:
    assert domain_of(f"{local}@{label}.de") == domain(f"{label}.de")
    assert email(f"{local}@{label}.de").startswith(f"{caseless(local)}@")


def test_what_is_no_address_has_no_domain() -> None:
    assert [domain_of(text) for text in ("", "ann", "@acme.com", "ann@acme.com.")] == ["", "", "", "acme.com"]
