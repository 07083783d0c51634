"""Test reading an IdP's SAML metadata and the dates of its certificates."""

from __future__ import annotations

from base64 import b64decode
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from saml import EXPIRED, LATE, METADATA, OKTA, VALID, metadata

from rolecall.codec.saml import NotMetadata, decode_metadata
from rolecall.codec.x509 import decode_certificate

END = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_entity_id_certificates_and_end_are_read() -> None:
    found = decode_metadata(metadata(OKTA, EXPIRED, VALID))
    assert found.entity_id == OKTA
    assert [one.not_after.year for one in found.certificates] == [2025, 2049]
    assert found.ends == END


def test_the_metadata_may_end_before_its_certificate() -> None:
    found = decode_metadata(metadata(more=' validUntil="2030-01-31T00:00:00Z"'))
    assert found.ends == found.valid_until == datetime(2030, 1, 31, tzinfo=UTC)


def test_a_key_for_encryption_alone_does_not_count() -> None:
    assert decode_metadata(METADATA.replace('use="signing"', 'use="encryption"')).certificates == ()
    assert decode_metadata(METADATA.replace(' use="signing"', "")).ends == END


def test_a_certificate_that_cannot_be_read_says_nothing_of_the_end() -> None:
    found = decode_metadata(metadata(OKTA, "TWFu", VALID))
    assert found.certificates[0] is None
    assert found.ends == END
    assert decode_metadata(metadata(OKTA, "TWFu")).ends is None


def test_several_entities_are_understood_where_one_is_an_idp() -> None:
    inner = METADATA.replace(' xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"', "")
    service = metadata(role="SPSSODescriptor").replace(' xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"', "")
    around = '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{}</md:EntitiesDescriptor>'
    assert decode_metadata(around.format(service + inner)).entity_id == OKTA
    with pytest.raises(NotMetadata, match="describes 2 identity providers"):
        decode_metadata(around.format(inner + inner))


def test_the_xml_declaration_may_name_any_encoding() -> None:
    assert decode_metadata(f'<?xml version="1.0" encoding="UTF-16"?>{METADATA}').entity_id == OKTA


def test_years_from_2050_on_have_four_digits() -> None:
    assert decode_certificate(b64decode(LATE)).not_after == datetime(2060, 1, 31, tzinfo=UTC)


@given(
    st.datetimes(datetime(1960, 1, 1), datetime(2200, 1, 1)),
    st.integers(0, 30_000),
    st.integers(1, 2**150),
    st.text(max_size=40).filter(lambda text: all(char.isprintable() for char in text)),
)
def test_the_dates_of_any_certificate_are_those_that_openssl_reads(start, days, number, name) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name or "x")])
    start = start.replace(microsecond=0)
    built = x509.CertificateBuilder(who, who, key.public_key(), number, start, start + timedelta(days=days))
    made = built.sign(key, hashes.SHA256())
    found = decode_certificate(made.public_bytes(serialization.Encoding.DER))
    assert (found.not_before, found.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
    assert found.sha256 == made.fingerprint(hashes.SHA256()).hex()


@given(st.binary(max_size=80) | st.integers(0, len(b64decode(VALID)) - 1).map(lambda cut: b64decode(VALID)[:cut]))
def test_no_bytes_do_more_than_raise_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_certificate(data)


@given(st.text(max_size=60) | st.text(max_size=5).map(lambda text: METADATA.replace("SingleSign", text, 1)))
def test_no_text_does_more_than_raise_not_metadata(text: str) -> None:
    with suppress(NotMetadata):
        assert decode_metadata(text).entity_id
