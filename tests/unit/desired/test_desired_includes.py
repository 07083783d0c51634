"""Test which files an include matches, and that a matching file that cannot be read is an error."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.desired.check.validate import validate_repo
from rolecall.desired.load import files
from rolecall.desired.load.files import matches
from rolecall.desired.load.read import load

Factory = pytest.TempPathFactory
HEAD = "version: 1\norg: {name: acme, url: local:org.db}\nmanage: {idp_groups: authoritative}\n"
GROUP = "idp_groups: {A: blank}\n"


def repo(root: Path, pattern: str, *names: str) -> Path:
    (root / "rolecall.yaml").write_text(f"{HEAD}include: ['{pattern}']\n", encoding="utf-8")
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"idp_groups: {{G{number}: blank}}\n", encoding="utf-8")
    return root


def told(root: Path) -> list[tuple[str, str, str]]:
    """Severity, place and message of each problem."""
    return [(problem.severity, str(problem.where), problem.message) for problem in validate_repo(root)]


@pytest.mark.parametrize("pattern", ["groups/*.yaml", "groups/b.yaml", "**/*.yaml", "*/b.yaml"])
def test_a_dangling_link_is_an_error_at_the_include(tmp_path: Path, pattern: str) -> None:
    repo(tmp_path, pattern, "groups/a.yaml")
    (tmp_path / "groups/b.yaml").symlink_to("../vendor/b.yaml")
    assert told(tmp_path)[0] == (
        "error",
        "rolecall.yaml:4:11",
        "`groups/b.yaml` is a broken link",
    )


def test_a_dangling_link_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    repo(tmp_path, "teams/*/groups.yaml", "teams/legal/groups.yaml")
    (tmp_path / "teams/sales").symlink_to("../../sales")
    assert ("error", "rolecall.yaml:4:11", "`teams/sales` is a broken link") in told(tmp_path)


def test_a_link_that_leads_to_itself_is_an_error(tmp_path: Path) -> None:
    repo(tmp_path, "*.yaml")
    (tmp_path / "more.yaml").symlink_to("more.yaml")
    assert any("`more.yaml` cannot be read" in message for _, _, message in told(tmp_path))


def test_a_pipe_that_a_glob_matches_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "more.yaml")
    assert told(repo(tmp_path, "*.yaml"))[0][2] == "`more.yaml` is not a regular file"


@pytest.mark.parametrize(("pattern", "folder"), [("*/*.yaml", "groups"), ("groups/**/*.yaml", "groups/a")])
def test_a_folder_that_cannot_be_listed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, folder: str
) -> None:
    repo(tmp_path, pattern, f"{folder}/x.yaml")
    listed = Path.iterdir

    def refusing(self: Path):
        if self == tmp_path / folder:
            raise PermissionError(13, "Permission denied")
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", refusing)
    assert told(tmp_path)[0] == (
        "error",
        "rolecall.yaml:4:11",
        f"`{folder}` cannot be read: permission denied",
    )


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("groups/*.yaml", "groups/x.YAML"), ("groups/*.yaml", "Groups/x.yaml"), ("groups/x.yaml", "groups/X.yaml")],
)
def test_a_name_that_differs_in_capitals_is_a_warning(tmp_path: Path, pattern: str, name: str) -> None:
    repo(tmp_path, pattern, name)
    at = name.partition("/")[0] if name.startswith("G") else name
    problem = f"`{at}` differs from `{pattern}` only in upper and lower case, so it is not read"
    assert ("warning", "rolecall.yaml:4:11", problem) in told(tmp_path)


def test_a_file_that_no_glob_matches_is_told_in_any_capitals(tmp_path: Path) -> None:
    repo(tmp_path, "groups/*.yaml", "groups/a.yaml", "more/x.YAML")
    assert [where for _, where, _ in told(tmp_path)] == ["more/x.YAML"]


def test_a_linked_folder_that_is_not_followed_is_a_warning(tmp_path: Path) -> None:
    repo(tmp_path, "groups/**/*.yaml", "groups/a.yaml", "shared/b.yaml")
    (tmp_path / "groups/linked").symlink_to("../shared")
    assert any(severity == "warning" and "`groups/linked` is not read" in m for severity, _, m in told(tmp_path))


def test_a_single_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert told(repo(tmp_path, "groups/b.yaml")) == [("error", "rolecall.yaml:4:11", "`groups/b.yaml` matches no file")]


def test_a_dangling_overlay_is_an_error(tmp_path: Path) -> None:
    repo(tmp_path, "*.yaml", "more.yaml")
    (tmp_path / "env").mkdir()
    (tmp_path / "env/prod.yaml").symlink_to("gone.yaml")
    assert files.environments(tmp_path) == ("prod",)
    (problem,) = load(tmp_path, "prod").problems
    assert (problem.severity, problem.message) == ("error", "cannot be read: file not found")


names = st.lists(st.sampled_from(["a.yaml", "b.yml", "A.yaml", "x/a.yaml", "x/y/b.yaml", "x/.h.yaml", "env/e.yaml"]))
patterns = st.sampled_from(["*.yaml", "**/*.yaml", "x/*.yaml", "x/**/*.yaml", "*/a.yaml", "[ab].*", "x/a.yaml", "**"])


@given(names, patterns)
def test_it_matches_what_pathlib_matches(tmp_path_factory: Factory, made: list[str], pattern: str) -> None:
    root = repo(tmp_path_factory.mktemp("glob"), pattern, *made)
    expected = {path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file()}
    counted = {n for n in expected if n != "rolecall.yaml" and "/." not in n and not fnmatchcase(n, "env/*")}
    assert matches(root, pattern, "rolecall.yaml").names == sorted(counted)
