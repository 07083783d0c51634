"""Test responses of an org with values of the wrong type: an error about the contract, never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from workbench import WANTED, Workbench

from rolecall.errors import RolecallError
from rolecall.live.client import OrgClient
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.http.transport import Answer, Request

ODD = ["-1d", float("nan"), float("inf"), -1, True, "3", [], {}, 1.5]


class Odd(EmbeddedTransport):
    """A local org of which one answer is changed."""

    def __init__(self, folder: Path, change: Callable[[Request, dict], None]) -> None:
        super().__init__(folder / "org.db")
        self.change = change

    async def send(self, request: Request) -> Answer:
        answer = await super().send(request)
        body = answer.json()
        self.change(request, body)
        return answer._replace(body=json.dumps(body).encode(), headers={**answer.headers, "etag": ""})


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Workbench:
    return Workbench(tmp_path_factory.mktemp("bench"))


def planned(bench: Workbench, change: Callable[[Request, dict], None]) -> str:
    """The code of the first problem of a plan, or of the first warning of one that was made."""
    bench.way = lambda: OrgClient(Odd(bench.folder, change))
    try:
        made = bench.plan(WANTED)
    except RolecallError as error:
        return error.problems[0].code
    finally:
        bench.way = None
    return "unread" if made.unread else "made"


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("name", ["people", "active_people"])
def test_a_count_of_another_kind_is_not_as_the_contract_says(bench, name, odd) -> None:
    def change(request: Request, body: dict) -> None:
        if request.path == "/v1/org":
            body["counts"][name] = odd

    assert planned(bench, change) == "org_contract"


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_limit_of_another_kind_is_not_as_the_contract_says(bench, odd) -> None:
    def change(request: Request, body: dict) -> None:
        if request.path == "/v1/org":
            body["limits"] = {"page": odd}

    assert planned(bench, change) == "org_contract"


@pytest.mark.parametrize("odd", [None, 5, True, [], {}, "", "ü", "a\nb", "\u200b"], ids=repr)
@pytest.mark.parametrize("path", ["/v1/idp-groups", "/v1/access/defaults"])
def test_an_etag_of_another_kind_leaves_its_section_unread(bench, path, odd) -> None:
    def change(request: Request, body: dict) -> None:
        if request.path == path:
            for row in body.get("data", [body]):
                row["etag"] = odd

    assert planned(bench, change) in ("unread", "org_contract")


@pytest.mark.parametrize("odd", ["x", -1, 1.5, True, [], {}], ids=repr)
def test_a_member_count_of_another_kind_leaves_the_groups_unread(bench, odd) -> None:
    def change(request: Request, body: dict) -> None:
        if request.path == "/v1/idp-groups":
            for row in next(value for value in body.values() if isinstance(value, list)):
                row["member_count"] = odd

    assert planned(bench, change) in ("unread", "org_contract")


@pytest.mark.parametrize("odd", [None, -1, "x", [], {}, [None], {"a": None}, True, float("inf")], ids=repr)
def test_no_value_in_an_answer_ends_as_a_bug(bench, odd) -> None:
    """Each field of each answer in turn, with an odd value."""
    answers: dict[str, dict] = {}

    def note(request: Request, body: dict) -> None:
        answers.setdefault(request.path, json.loads(json.dumps(body)))

    assert planned(bench, note) == "made"
    for path, answer in answers.items():
        for name in answer:

            def change(request: Request, body: dict, path=path, name=name) -> None:
                if request.path == path:
                    body[name] = odd

            planned(bench, change)
