"""Test the next page of a list, in each known form, and the signs of an unknown one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.live.http.lists import Following, following, link_targets, more_than, signs, within

NEXT = "https://acme.okta.com/api/v1/users?after=2&limit=500"


@pytest.mark.parametrize(
    ("header", "targets"),
    [
        ("", []),
        (f'<{NEXT}>; rel="next"', [NEXT]),
        (f"<{NEXT}>;rel=next", [NEXT]),
        (f'<{NEXT}> ; REL="Prev NEXT"', [NEXT]),
        (f'<x>; rel="self", <{NEXT}>; rel="next"', [NEXT]),
        (f'<x>; title="a, b; c"; rel="self", <{NEXT}>; title="Page 2, of 3"; rel="next"', [NEXT]),
        (f'<{NEXT}>; title="a \\"quoted\\" comma, here"; rel="next"', [NEXT]),
        (f"<{NEXT}>; rel='next'", [NEXT]),
        ('</api/v1/users?ids=a,b;c>; rel="next"', ["/api/v1/users?ids=a,b;c"]),
        ('<x>; rel="self"; rel="next"', []),
        ('<x>; rel="nextish"', []),
        ('<x>; rev="next"', []),
        (', ,<x>; rel="next",', ["x"]),
        (f'{NEXT}; rel="next"', None),
        (f'<{NEXT}; rel="next"', None),
        ("<x> rel=next", None),
    ],
)
def test_links_are_read_as_rfc_8288_has_them(header: str, targets: list[str] | None) -> None:
    assert link_targets(header) == targets


titles = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(st.lists(st.tuples(st.sampled_from(["self", "next", "prev next", "last"]), titles), max_size=4))
def test_no_title_hides_or_makes_a_link(links: list[tuple[str, str]]) -> None:
    quoted = ['"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"' for _, title in links]
    header = ", ".join(f'<u{n}>; title={q}; rel="{links[n][0]}"' for n, q in enumerate(quoted))
    assert link_targets(header) == [f"u{n}" for n, (rel, _) in enumerate(links) if "next" in rel]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, [], Following()),
        ({"link": f'<{NEXT}>; rel="next"'}, [], Following(NEXT)),
        ({}, {"value": [], "@odata.nextLink": NEXT}, Following(NEXT)),
        ({}, {"value": [], "@odata.nextlink": NEXT}, Following(NEXT)),
        ({}, {"value": [], "@nextLink": NEXT}, Following(NEXT)),
        ({}, {"value": [], "@odata.nextLink": None, "@odata.context": "x", "@odata.count": 3}, Following()),
        ({"link": f'<{NEXT}>; rel="next"'}, {"@odata.nextLink": NEXT}, Following(NEXT)),
    ],
)
def test_known_forms(headers: dict[str, str], body: object, expected: Following) -> None:
    assert following(headers, body) == expected


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"link": NEXT}, []),
        ({"link": f'<{NEXT}>; rel="next"'}, {"@odata.nextLink": "https://other"}),
        ({"x-next-page": "2"}, []),
        ({"x-ms-continuation": "abc"}, []),
        ({"x-has-more": "true"}, []),
        ({}, {"value": [], "nextLink": NEXT}),
        ({}, {"value": [], "nextCursor": "abc"}),
        ({}, {"value": [], "next_page_token": "abc"}),
        ({}, {"value": [], "hasMore": True}),
        ({}, {"value": [], "has_more": "yes"}),
        ({}, {"value": [], "isLast": False}),
        ({}, {"value": [], "_links": {"next": {"href": NEXT}}}),
        ({}, {"value": [], "paging": {"cursors": {"after": "x"}, "next": NEXT}}),
        ({}, {"value": [], "pageInfo": {"hasNextPage": True}}),
    ],
)
def test_other_forms_are_told(headers: dict[str, str], body: object) -> None:
    after = following(headers, body)
    assert after.link is None
    assert after.unknown


@pytest.mark.parametrize(
    "body",
    [
        {"hasMore": False, "nextCursor": None, "next": "", "isLast": True, "prevCursor": "x", "startIndex": 1},
        {"_links": {"self": {"href": "x"}, "prev": {"href": "y"}}, "paging": {"next": None}},
        {"@odata.context": "x", "@odata.deltaLink": "y"},
        "text",
    ],
)
def test_the_last_page_has_no_sign(body: object) -> None:
    assert following({"x-next-page": "", "x-has-more": "false"}, body) == Following()


def test_known_keys_are_no_sign() -> None:
    assert list(signs({}, {"has_more": True}, {"has_more"})) == []


def test_a_total_above_the_rows_is_told() -> None:
    assert more_than({"x-total-count": "7"}, [], 5) == 7
    assert more_than({}, {"@odata.count": 5}, 5) is None
    assert more_than({}, {"total": True, "totalCount": "6"}, 5) == 6


@pytest.mark.parametrize(
    ("base", "link", "path"),
    [
        ("https://acme.okta.com", NEXT, "/api/v1/users?after=2&limit=500"),
        ("https://acme.okta.com", "https://ACME.Okta.COM:443/api/v1/users?after=2", "/api/v1/users?after=2"),
        ("https://ACME.okta.com", "https://acme.okta.com/api", "/api"),
        ("https://acme.okta.com:443", "https://acme.okta.com/api", "/api"),
        ("https://acme.okta.com", "https://acme.okta.com./api", "/api"),
        ("https://acme.okta.com", "http://acme.okta.com/api", "/api"),
        ("https://acme.okta.com", "//acme.okta.com/api", "/api"),
        ("https://acme.okta.com", "/api/v1/users?after=2", "/api/v1/users?after=2"),
        ("https://acme.okta.com", "?after=2", "/api/v1/users?after=2"),
        ("https://acme.okta.com", "users?after=2", "/api/v1/users?after=2"),
        ("https://gw.acme.com/graph/v1.0", "https://gw.acme.com/graph/v1.0/groups", "/groups"),
        ("http://localhost:8080", "http://LOCALHOST:8080/a", "/a"),
        ("https://acme.okta.com", "https://evil.example/api", None),
        ("https://acme.okta.com", "https://acme.okta.com.evil.example/api", None),
        ("https://acme.okta.com", "https://acme.okta.com@evil.example/api", None),
        ("https://acme.okta.com", "https://acme.okta.com:8443/api", None),
        ("https://gw.acme.com/graph/v1.0", "https://gw.acme.com/other", None),
        ("https://acme.okta.com", "https://[broken/api", None),
    ],
)
def test_a_link_stays_below_the_base(base: str, link: str, path: str | None) -> None:
    assert within(base, "/api/v1/users", link) == path
