"""SAML metadata as an IdP exports it, and what is none, for tests."""

from __future__ import annotations

VALID = (
    "MIIBCjCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGFjbWUwHhcNMjQwMTAxMDAwMDAwWhcNNDkxMjMxMjM1OTU5"
    "WjAPMQ0wCwYDVQQDDARhY21lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwljYlabPFilaFSU+J7qNCTh0WIdWnZDgwRazqtNB"
    "+B57hUQop6RXCokD1pibSirBERVeHKpZkmfg+Y1wCS2eVDAKBggqhkjOPQQDAgNIADBFAiBLtCoDYDrihY97XxJ5oueirhZsT7Cy"
    "9OaQtYL9qNVQ8AIhAJwqghZ6ZGxe6II2JtGXVdopnStolvRxByDxN0oKHkyp"
)
"""A certificate that ends on 31 Dec 2049."""

LATE = (
    "MIIBCzCBs6ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGFjbWUwIBcNMjQwMTAxMDAwMDAwWhgPMjA2MDAxMzEwMDAw"
    "MDBaMA8xDTALBgNVBAMMBGFjbWUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARLqCb+CWf/LhI56FAB/QZD7zLaUftj/5P5uoEm"
    "22BEnclhL+osrsa2SlAzyWSV7Z12DgPciau3doqWToGZTeyuMAoGCCqGSM49BAMCA0cAMEQCICIXhHP5gT8xejdBlQV3pWnbTFcW"
    "n2dL4fxIARTHp8jBAiB8FzdTzh65kYV9oeQnVPsBvzUtrrQLh4Rhc9b73gVB6Q=="
)
"""A certificate that ends on 31 Jan 2060: its date has four digits for the year."""

EXPIRED = (
    "MIIBCjCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGFjbWUwHhcNMjQwMTAxMDAwMDAwWhcNMjUwNjMwMTIwMDAw"
    "WjAPMQ0wCwYDVQQDDARhY21lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELccpz+hZvpLk6p/TaqvrxhOBSuL4QwTkSWwPHmGk"
    "r2At/fQBoRd95r8XHRLz7jNbmVanaQ04nwDx+ljLcWxMlzAKBggqhkjOPQQDAgNIADBFAiEAuQMmM+sQ9k65JUym8yV3QHx6jNT9"
    "gzdYtJRQNuLxH1sCIC7ToimROrpmuGyQp6kLZRK5i+KDxoog8OEWwdr+AULl"
)
"""A certificate that ended on 30 Jun 2025."""

OKTA = "http://www.okta.com/exk1acmewriter4x7"


def metadata(entity_id: str = OKTA, *certificates: str, more: str = "", role: str = "IDPSSODescriptor") -> str:
    """Metadata of an IdP that signs with these certificates, VALID unless given; ``more`` are attributes."""
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for text in certificates or (VALID,)
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}"{more}>'
        f'<md:{role} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="https://idp.acme.com/sso"/></md:{role}></md:EntityDescriptor>'
    )


METADATA = metadata()
OTHER = metadata("http://www.okta.com/exk2acmewriter9z1")
"""Another app at the same IdP."""
