"""One contract over every source of people: the same people read alike, and what cannot be read is said."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_proxy import Seen
from people_sources import PAGE, SOURCES, TOKEN, Place, Source, World, between, held, read

from rolecall.errors import OrgError, Problem, RolecallError
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope, Traits

WORLD = World(
    {
        "Ann@Acme.COM": ["Writer-Admins", "All staff"],
        "bo@acme.com": ["All staff"],
        "o'hara+x@acme.co.uk": ["Re\u0301daction, “brand” & co", "All staff"],
        "cy@acme.com": [],
        "gone@acme.com": ["All staff"],
    },
    inactive=frozenset({"gone@acme.com"}),
)
ALIKE = {
    "ann@acme.com": {"Writer-Admins", "All staff"},
    "bo@acme.com": {"All staff"},
    "o'hara+x@acme.co.uk": {"Rédaction, “brand” & co", "All staff"},
}
"""Those who are in a group. Entra tells nobody else: who is in none of the app's groups is not in the app."""

EACH = pytest.mark.parametrize("source", SOURCES, ids=str)


def those(*able: str) -> pytest.MarkDecorator:
    """The sources that can do any of this."""
    return pytest.mark.parametrize("source", [one for one in SOURCES if one.can.intersection(able)], ids=str)


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _sockets_called_off() -> Iterator[None]:
    """A loop that ends as a connection is being let in may drop its socket unclosed; it goes here."""
    yield
    gc.collect()


SOCKETS = those("socket")


def problem_of(place: Place, **more: object) -> Problem:
    """Why nothing could be read, whether that was raised or left people unread. No half of the people comes with it."""
    try:
        found = read(place, **more)
    except RolecallError as error:
        problem = error.problems[0]
    else:
        assert (len(found), found.coverage.state) == (0, "unread")
        problem = Problem("unread", found.coverage.problem or "")
    assert problem.message
    assert TOKEN not in str(problem)
    assert "org.url" not in str(problem), "it is not the org that could not be read"
    return problem


@EACH
def test_the_same_people_read_alike(source: Source, tmp_path: Path) -> None:
    with source.filled(WORLD, tmp_path) as place:
        found = read(place)
    assert found.coverage.state == "complete"
    assert {who: groups for who, groups in held(found).items() if groups} == ALIKE
    assert held(found).get("cy@acme.com", set()) == set()
    assert {found.traits(number) for number in range(len(found))} <= {Traits(), Traits(active=False)}


@EACH
def test_who_has_left_has_nothing(source: Source, tmp_path: Path) -> None:
    """They are told as inactive, or not at all."""
    with source.filled(WORLD, tmp_path) as place:
        found = read(place)
    assert set(held(found, active=False)) == ({"gone@acme.com"} if "departed" in source.can else set())


NAMED = World(
    {"ann@acme.com": ["All staff"], "bo@acme.com": ["All staff"]}, full_names={"ann@acme.com": ("Ann Mary", "Jones")}
)


@EACH
def test_full_names_are_read_only_where_they_are_asked_for(source: Source, tmp_path: Path) -> None:
    with source.filled(NAMED, tmp_path) as place:
        named, plain = read(place, full_names=True), read(place)
    assert {named.emails[number]: profile.name for number, profile in named.profiles.items()} == {
        "ann@acme.com": "Ann Mary Jones"
    }
    assert named.person(list(named.emails).index("ann@acme.com")).profile.name == "Ann Mary Jones"
    assert held(named) == held(plain)
    assert not plain.profiles or source.name == "jsonl"


@EACH
def test_everybody_comes_once_however_many_pages_that_takes(source: Source, tmp_path: Path) -> None:
    """More people than any page holds: than one of ours, and than one of a server that gives three at a time."""
    names = [f"p{number:03}@acme.com" for number in range(107)]
    world = World({name: ["All", f"Group {number % (2 * PAGE)}"] for number, name in enumerate(names)})
    with source.filled(world, tmp_path) as place:
        found = read(place)
    assert found.coverage[:3] in (("complete", 107, 107), ("complete", None, None))
    assert held(found) == {name: set(groups) for name, groups in world.people.items()}
    assert len(found) == len(names)


@EACH
def test_nobody_is_read_for_nobody(source: Source, tmp_path: Path) -> None:
    with source.filled(WORLD, tmp_path) as place:
        if "socket" in source.can:
            with between(place, lambda number, seen: None) as (behind, proxy):
                assert read(behind, scope=PeopleScope()) == Directory()
                assert proxy.seen == []
        else:
            assert read(place._replace(at="gone.csv"), scope=PeopleScope()) == Directory()


@SOCKETS
def test_groups_that_are_not_sent_yet(source: Source, tmp_path: Path) -> None:
    """An IdP knows whom they will bring, whether the config names them or a scope does. Nobody else has seen them."""
    world = World({"ann@acme.com": ["All", "Later"], "bo@acme.com": ["All"]}, waiting=("Later",))
    scope = PeopleScope(groups=frozenset({"Later"}))
    later = {"Later"} if "waiting" in source.can else set()
    with source.filled(world, tmp_path) as place:
        assert held(read(place)) == {"ann@acme.com": {"All"}, "bo@acme.com": {"All"}}
        for found in (read(place, wanted=("Later", "Nowhere", "It's “x” \\")), read(place, scope=scope)):
            assert held(found) == {"ann@acme.com": {"All"} | later, "bo@acme.com": {"All"}}


@EACH
def test_whom_it_knows_of_and_does_not_name(source: Source, tmp_path: Path) -> None:
    """In part is neither all nor nothing: those who were read are there, and how many are missing is told."""
    world = World({"ann@acme.com": ["All"], "bo@acme.com": ["All"]}, unseen=5)
    with source.filled(world, tmp_path) as place:
        found = read(place)
    missing = 5 if "unseen" in source.can else 0
    assert set(held(found)) == {"ann@acme.com", "bo@acme.com"}
    assert found.coverage.state == ("partial" if missing else "complete")
    if missing:
        assert found.coverage[1:3] == (2, 7)
        assert "5" in (found.coverage.problem or "")


@those("twice", "merged")
def test_an_address_belongs_to_one_person(source: Source, tmp_path: Path) -> None:
    """R28: two records of one address are put together or refused, and never two people. The other servers keep names
    unique themselves (RFC 7643 §4.1.1)."""
    world = World({"ann@acme.com": ["All"], "ANN@acme.com": ["All"]})
    with source.filled(world, tmp_path) as place:
        if "merged" in source.can:
            assert held(read(place)) == {"ann@acme.com": {"All"}}
        else:
            problem = problem_of(place)
            assert "are repeated" in problem.message or "see line 1" in problem.message


@those("nameless", "addresses")
def test_a_user_without_an_address_is_nobody_and_is_told(source: Source, tmp_path: Path) -> None:
    with source.filled(World({"robot": ["All"], "ann@acme.com": ["All"]}), tmp_path) as place:
        if "nameless" not in source.can:
            assert problem_of(place).where is not None
            return
        found = read(place)
    assert held(found) == {"ann@acme.com": {"All"}}
    assert found.coverage.state == "complete"
    assert "left out (1)" in (found.coverage.problem or "")


@SOCKETS
@pytest.mark.parametrize("fault", ["429_ms", "429_seconds", "429_bare", "503", "500", "cut_in_body", "lost_answer"])
def test_reading_goes_on_where_it_was_held_up(source: Source, fault: str, tmp_path: Path) -> None:
    """Every request fails at first."""
    asked: set[str] = set()

    def at_first(number: int, seen: Seen) -> str | None:
        known = seen.path in asked
        asked.add(seen.path)
        return None if known else fault

    with source.filled(WORLD, tmp_path) as place, between(place, at_first) as (behind, proxy):
        found = read(behind)
        assert len(proxy.seen) >= 4
    assert {who: groups for who, groups in held(found).items() if groups} == ALIKE
    assert found.coverage.state == "complete"


@SOCKETS
@pytest.mark.parametrize("fault", ["401", "html", "429_bare", "502_html", "cut_in_body"])
@pytest.mark.parametrize("good", [0, 2])
def test_what_cannot_be_read_is_said_and_never_half(source: Source, fault: str, good: int, tmp_path: Path) -> None:
    """From the first request on, or once some answers have come."""
    with (
        source.filled(WORLD, tmp_path) as place,
        between(place, lambda number, seen: fault if number > good else None) as (behind, _),
    ):
        problem = problem_of(behind)
    words = {
        "401": "token",
        "html": "JSON",
        "429_bare": "429" if place.kind != "scim" else "rate limit",
        "502_html": "502",
    }
    assert words.get(fault, "") in problem.message


@SOCKETS
def test_a_source_that_is_not_there(source: Source, tmp_path: Path) -> None:
    """It is named with the key of the config that leads to it."""
    with source.filled(WORLD, tmp_path) as place:
        pass
    with pytest.raises(OrgError) as caught:
        read(place)
    (problem,) = caught.value.problems
    assert "127.0.0.1" in problem.message
    assert "`people." in (problem.hint or "")
    assert TOKEN not in str(problem)


@SOCKETS
def test_a_token_that_is_not_taken(source: Source, tmp_path: Path) -> None:
    with source.filled(WORLD, tmp_path) as place:
        problem = problem_of(place, token=lambda: "canary-wrong-77aa")
    assert "token" in problem.message
    assert "canary-wrong" not in problem.message


@those("file")
def test_what_is_no_people_at_all(source: Source, tmp_path: Path) -> None:
    """Rubbish from a server is held above."""
    with source.filled(WORLD, tmp_path) as place:
        (tmp_path / place.at).write_bytes(b"\x00\xff\xfe{]")
        assert problem_of(place, scope=EVERYBODY).where is not None
