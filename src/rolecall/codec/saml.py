"""Reads SAML 2.0 metadata of an identity provider: what an org needs of it, without DTDs, entities or the network."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rolecall.codec.x509 import Certificate, decode_certificate

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"


class IdpMetadata(NamedTuple):
    """An identity provider, according to its metadata.

    ``certificates`` are its signing certificates, in the order of the file; None is one that cannot be read.
    ``valid_until`` is the end of the metadata itself, if it has one.
    """

    entity_id: str
    certificates: tuple[Certificate | None, ...]
    valid_until: datetime | None = None

    @property
    def readable(self) -> tuple[Certificate, ...]:
        return tuple(certificate for certificate in self.certificates if certificate is not None)

    @property
    def ends(self) -> datetime | None:
        """Return when sign-in starts to fail: the last certificate's end, or the metadata's if that is earlier."""
        ends = [max(certificate.not_after for certificate in self.readable)] if self.readable else []
        return min((*ends, *([self.valid_until] if self.valid_until else ())), default=None)


class NotMetadata(ValueError):
    """The text is not the SAML metadata of one identity provider; the message completes ``it …``."""


@lru_cache(maxsize=16)
def decode_metadata(text: str) -> IdpMetadata:
    """Return the content of the metadata. Raises NotMetadata.

    One ``EntityDescriptor`` with an ``IDPSSODescriptor`` (SAML 2.0 metadata §2.3.2, §2.4.3), also inside an
    ``EntitiesDescriptor``. A document type declaration is refused.
    """
    root = _parsed(text)
    if root.tag not in (f"{_MD}EntityDescriptor", f"{_MD}EntitiesDescriptor"):
        raise NotMetadata(f"is not SAML metadata: its root element is <{_local(root.tag)}>, not <EntityDescriptor>")
    entities = list(root.iter(f"{_MD}EntityDescriptor"))
    providers = [entity for entity in entities if entity.find(f"{_MD}IDPSSODescriptor") is not None]
    if not providers:
        service = any(entity.find(f"{_MD}SPSSODescriptor") is not None for entity in entities)
        raise NotMetadata(f"describes {'a service provider, not an' if service else 'no'} identity provider")
    if len(providers) > 1:
        raise NotMetadata(f"describes {len(providers)} identity providers, not one")
    return _provider(providers[0])


def _parsed(text: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise NotMetadata(f"is not SAML metadata: it is not XML ({error})") from error
    except DefusedXmlException as error:
        raise NotMetadata("is not SAML metadata: it has a document type declaration") from error
    except UnicodeEncodeError as error:
        raise NotMetadata("is not SAML metadata: it contains characters that UTF-8 cannot encode") from error
    return root


def _provider(entity: Element) -> IdpMetadata:
    entity_id = entity.get("entityID", "").strip()
    if not entity_id:
        raise NotMetadata("has no entityID")
    role = entity.find(f"{_MD}IDPSSODescriptor")
    if role is None or role.find(f"{_MD}SingleSignOnService") is None:
        raise NotMetadata("has no SingleSignOnService, the URL where users sign in")
    ends = [end for element in (entity, role) if (end := _moment(element.get("validUntil"))) is not None]
    return IdpMetadata(entity_id, tuple(_certificates(role)), min(ends, default=None))


def _certificates(role: Element) -> Iterator[Certificate | None]:
    """Yield the signing certificates: a key without ``use`` is for all uses."""
    for key in role.iterfind(f"{_MD}KeyDescriptor"):
        if key.get("use", "signing") != "signing":
            continue
        for element in key.iter(f"{_DS}X509Certificate"):
            try:
                yield decode_certificate(b64decode("".join((element.text or "").split()), validate=True))
            except (binascii.Error, ValueError, IndexError):
                yield None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise NotMetadata(f"has a validUntil that is not a date: {text[:40]}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2][:40]


_ENTITY_IDS = {
    "okta": ("okta.com/", "oktapreview.com/", "okta-emea.com/", "okta-gov.com/", "okta.mil/"),
    "entra": ("sts.windows.net/", "sts.microsoftonline.de/", "sts.chinacloudapi.cn/", "login.microsoftonline"),
    "google": ("accounts.google.com/",),
    "onelogin": ("onelogin.com/",),
    "ping": ("pingone.", "pingidentity.com", "pingfederate"),
    "adfs": ("/adfs/services/trust",),
    "jumpcloud": ("jumpcloud",),
    "auth0": ("auth0.com",),
    "keycloak": ("/realms/",),
}
"""Parts of an IdP's default entity ids, by the name of the IdP in lower case."""

_SAME_IDP = {"azure": "entra", "microsoft": "entra", "aad": "entra", "workspace": "google"}


def other_idp(metadata: IdpMetadata, idp: str) -> bool:
    """Return whether the entity id looks like that of another IdP than ``idp``, a name such as ``okta`` or ``Entra
    ID``.

    False for an IdP whose entity ids have no known form.
    """
    name = idp.lower()
    known = next((_SAME_IDP.get(key, key) for key in (*_ENTITY_IDS, *_SAME_IDP) if key in name), None)
    entity_id = metadata.entity_id.lower()
    return known is not None and not any(part in entity_id for part in _ENTITY_IDS[known])
