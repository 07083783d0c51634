"""How many requests a plan sends to Okta where thousands of groups are pushed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli_repo import SNAPSHOT, make_repo
from idp import Fault, Okta, oid
from idp_repo import AUTHORITATIVE, IdpRepo, an_okta, config, served_repo

LISTS = "  assignments: [Core, Former]\n  pushes: idp_groups\n"
Large = Callable[[int], IdpRepo]


@pytest.fixture
def large(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Large]:
    """Make a repo whose Okta pushes as many groups, all mapped, as the configuration has them."""
    with ExitStack() as stack:

        def repo(pushed: int) -> IdpRepo:
            okta = an_okta(rate_limit=100_000, page=200)
            okta.push("Marketing")
            okta.unpush("Old")
            for name in names(pushed):
                okta.add_group(name)
                okta.push(name)
            served = stack.enter_context(served_repo(tmp_path / "small", capsys, monkeypatch, okta))
            lines = "".join(f"  {name}: {{role: member, teams: [Marketing]}}\n" for name in names(pushed))
            text = config(served.url, lists=LISTS, manage=AUTHORITATIVE)
            text = text.replace("idp_groups:\n  Admins", f"idp_groups:\n{lines}  Admins")
            groups = {name: {"role": "member", "teams": ["Marketing"]} for name in names(pushed)}
            snapshot = {**SNAPSHOT, "idp_groups": {**SNAPSHOT["idp_groups"], **groups}}
            served.folder = make_repo(tmp_path / "large", text, snapshot)
            okta.requests.clear()
            return served

        yield repo


def names(pushed: int) -> list[str]:
    return [f"Team {number:04} é" for number in range(pushed)]


def by_list(okta: Okta) -> Counter[str]:
    app = f"/api/v1/apps/{okta.app}"
    lists = {"/api/v1/groups": "search", f"{app}/groups": "assigned", f"{app}/group-push/mappings": "pushed"}
    return Counter(lists.get(call.path, "app" if call.path == app else call.path) for call in okta.requests)


def test_1000_pushed_groups_are_read_in_few_requests(large: Large) -> None:
    """1,002 mappings by 100, and 1,004 names by 20."""
    repo = large(1000)
    assert repo.changed() == {}
    assert by_list(repo.okta) == Counter({"search": 51, "assigned": 1, "pushed": 11, "app": 1})


def test_a_change_reads_only_what_it_concerns_besides(large: Large) -> None:
    repo = large(200)
    assert repo.changed() == {}
    before = by_list(repo.okta)
    assert before == Counter({"search": 11, "assigned": 1, "pushed": 3, "app": 1})
    repo.okta.requests.clear()
    repo.okta.unpush("Marketing")
    assert repo.changed() == {"idp_pushes/Marketing": "create"}
    members = f"/api/v1/groups/{oid('Marketing')}/users"
    assert by_list(repo.okta) - before == Counter({members: 1, f"/api/v1/apps/{repo.okta.app}/users": 1})


def test_pinned_groups_are_searched_by_id(large: Large) -> None:
    repo = large(200)
    pins = "".join(f"    - {{name: {name}, id: {oid(name)}}}\n" for name in ["Admins", "Marketing", *names(200)])
    text = (repo.folder / "rolecall.yaml").read_text()
    (repo.folder / "rolecall.yaml").write_text(text.replace("  pushes: idp_groups\n", f"  pushes:\n{pins}"))
    assert repo.changed() == {}
    assert by_list(repo.okta) == Counter({"search": 13, "assigned": 1, "pushed": 3, "app": 1})


def test_a_search_for_several_names_that_okta_refuses_is_sent_for_each(large: Large) -> None:
    repo = large(200)
    repo.okta.faults.append(Fault(400, path="/api/v1/groups"))
    assert repo.changed() == {}
    assert by_list(repo.okta)["search"] == 11 + 20


def test_a_search_without_permission_leaves_its_section_unread(large: Large) -> None:
    repo = large(200)
    repo.okta.faults.append(Fault(403, path="/api/v1/groups"))
    plan = repo.plan()
    assert plan["coverage"]["idp_pushes"]["state"] == "unread"
    assert plan["changes"] == []
