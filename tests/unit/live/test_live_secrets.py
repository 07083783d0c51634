"""Test references to secrets, their restrictions, and the only host that a token is sent to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from rolecall.errors import SecretError, Where
from rolecall.live.secrets import check_host, is_ci, org_token, resolve
from rolecall.model.target import SecretRef

CANARY = "canary-5a1f"
HERE = Where("rolecall.yaml", 6, 3)


def nothing_runs(command: tuple[str, ...]) -> tuple[int, bytes]:
    raise AssertionError(f"{command} must not run")


def refused(ref: SecretRef, environ: Mapping[str, str], repo: Path, run=nothing_runs) -> str:
    with pytest.raises(SecretError) as caught:
        resolve(ref, environ, repo, run)
    (problem,) = caught.value.problems
    assert problem.where == ref.source
    assert CANARY not in str(caught.value)
    return str(problem)


class TestEnvironment:
    ref = SecretRef("env", "TOKEN", HERE)

    def test_a_variable_gives_its_value_trimmed(self, tmp_path: Path) -> None:
        assert resolve(self.ref, {"TOKEN": f" {CANARY}\n"}, tmp_path, nothing_runs) == CANARY

    def test_a_missing_one_says_where_it_is_asked_for(self, tmp_path: Path) -> None:
        assert refused(self.ref, {}, tmp_path) == (
            "rolecall.yaml:6:3: the environment variable TOKEN is not set. Set TOKEN to the secret"
        )

    @pytest.mark.parametrize("value", ["", "  \n"])
    def test_an_empty_one_is_missing(self, tmp_path: Path, value: str) -> None:
        assert "is empty" in refused(self.ref, {"TOKEN": value}, tmp_path)

    @pytest.mark.parametrize("value", [f"{CANARY}\nX-Evil: 1", f"{CANARY}\x00"])
    def test_one_that_could_split_a_header_is_refused(self, tmp_path: Path, value: str) -> None:
        assert "control character" in refused(self.ref, {"TOKEN": value}, tmp_path)


class TestFile:
    def test_a_file_of_the_repo(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text(f"{CANARY}\n", encoding="utf-8")
        assert resolve(SecretRef("file", "token"), {}, tmp_path, nothing_runs) == CANARY

    def test_a_file_of_the_secrets_directory(self, tmp_path: Path) -> None:
        vault, repo = tmp_path / "vault", tmp_path / "repo"
        vault.mkdir()
        repo.mkdir()
        (vault / "token").write_text(CANARY, encoding="utf-8")
        environ = {"ROLECALL_SECRETS_DIR": str(vault)}
        assert resolve(SecretRef("file", "token"), environ, repo, nothing_runs) == CANARY
        assert resolve(SecretRef("file", str(vault / "token")), environ, repo, nothing_runs) == CANARY

    @pytest.mark.parametrize("name", ["../token", "/etc/hostname", "link", "folder/../../token"])
    def test_nothing_outside_is_read(self, tmp_path: Path, name: str) -> None:
        repo = tmp_path / "repo"
        (repo / "folder").mkdir(parents=True)
        (tmp_path / "token").write_text(CANARY, encoding="utf-8")
        (repo / "link").symlink_to(tmp_path / "token")
        assert "is outside" in refused(SecretRef("file", name, HERE), {}, repo)

    def test_a_file_that_cannot_be_read_is_no_secret(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "token").write_text(CANARY, encoding="utf-8")

        def unreadable(*_: object) -> bytes:
            raise PermissionError(13, "denied")

        for name in ("open", "read_bytes", "read_text"):
            monkeypatch.setattr(Path, name, unreadable)
        assert "`token`" in refused(SecretRef("file", "token", HERE), {}, tmp_path)

    def test_a_missing_file_and_a_directory_are_no_secret(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        assert "secret file `none` not found" in refused(SecretRef("file", "none", HERE), {}, tmp_path)
        assert "secret file `folder` not found" in refused(SecretRef("file", "folder", HERE), {}, tmp_path)

    def test_a_binary_or_huge_file_is_refused_without_showing_it(self, tmp_path: Path) -> None:
        (tmp_path / "binary").write_bytes(CANARY.encode() + b"\xff\xfe")
        (tmp_path / "huge").write_text(CANARY * 10_000, encoding="utf-8")
        assert "not UTF-8" in refused(SecretRef("file", "binary", HERE), {}, tmp_path)
        assert "larger than" in refused(SecretRef("file", "huge", HERE), {}, tmp_path)


class TestCommand:
    ref = SecretRef("exec", ("vault", "read", "token"), HERE)
    allowed: ClassVar[dict[str, str]] = {"ROLECALL_ALLOW_EXEC": "1"}

    def test_the_command_runs_as_it_is_written(self, tmp_path: Path) -> None:
        seen: list[tuple[str, ...]] = []

        def run(command: tuple[str, ...]) -> tuple[int, bytes]:
            seen.append(command)
            return 0, f"{CANARY}\n".encode()

        assert resolve(self.ref, self.allowed, tmp_path, run) == CANARY
        assert seen == [("vault", "read", "token")]

    @pytest.mark.parametrize("environ", [{}, {"ROLECALL_ALLOW_EXEC": "0"}, {"ROLECALL_ALLOW_EXEC": "true"}])
    def test_nothing_runs_without_leave(self, tmp_path: Path, environ: Mapping[str, str]) -> None:
        assert "ROLECALL_ALLOW_EXEC=1" in refused(self.ref, environ, tmp_path)

    def test_a_failing_command_shows_its_code_and_not_its_output(self, tmp_path: Path) -> None:
        told = refused(self.ref, self.allowed, tmp_path, lambda command: (3, CANARY.encode()))
        assert "`vault` failed with exit code 3" in told

    def test_a_command_that_is_not_there(self, tmp_path: Path) -> None:
        def run(command: tuple[str, ...]) -> tuple[int, bytes]:
            raise FileNotFoundError(2, "No such file", command[0])

        assert "`vault` cannot be run" in refused(self.ref, self.allowed, tmp_path, run)

    def test_a_real_command_gets_no_shell_and_no_input(self, tmp_path: Path) -> None:
        script = "import sys; print(sys.argv[1] + sys.stdin.read())"
        ref = SecretRef("exec", (sys.executable, "-c", script, "$HOME;"))
        assert resolve(ref, self.allowed, tmp_path) == "$HOME;"

    def test_a_command_that_takes_too_long_is_not_one_that_is_missing(self, tmp_path: Path) -> None:
        def run(_: tuple[str, ...]) -> tuple[int, bytes]:
            raise TimeoutError

        with pytest.raises(SecretError) as error:
            resolve(self.ref, self.allowed, tmp_path, run)
        (problem,) = error.value.problems
        assert problem.message == "`vault` did not finish within 60 s"
        assert problem.hint == "run it manually to find out why"

    def test_a_real_command_that_is_not_there(self, tmp_path: Path) -> None:
        ref = SecretRef("exec", (str(tmp_path / "none"),), HERE)
        with pytest.raises(SecretError, match="cannot be run"):
            resolve(ref, self.allowed, tmp_path)


class TestHost:
    def test_a_file_of_the_repository_is_read_for_the_token(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text(CANARY)
        ref = SecretRef("file", "token", HERE)
        assert org_token(ref, "https://org.example", {}, tmp_path, nothing_runs) == CANARY

    def test_the_host_is_checked_before_the_secret_is_fetched(self, tmp_path: Path) -> None:
        ref = SecretRef("exec", ("vault",), HERE)
        environ = {"ROLECALL_TOKEN_HOST": "org.example", "ROLECALL_ALLOW_EXEC": "1"}
        with pytest.raises(SecretError, match="may only be sent to org"):
            org_token(ref, "https://evil.example", environ, tmp_path, nothing_runs)
        assert org_token(ref, "https://org.example", environ, tmp_path, lambda command: (0, b"t")) == "t"

    @pytest.mark.parametrize(
        ("url", "pinned"),
        [
            ("https://org.example", "org.example"),
            ("https://ORG.example./x", "org.example"),
            ("https://org.example:8443", "org.example:8443"),
            ("https://org.example", "org.example:443"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "[::1]"),
        ],
    )
    def test_the_pinned_host_is_let_through(self, url: str, pinned: str) -> None:
        check_host(url, {"ROLECALL_TOKEN_HOST": pinned, "CI": "true"})

    @pytest.mark.parametrize(
        ("url", "pinned"),
        [
            ("https://evil.example", "org.example"),
            ("https://org.example.evil.example", "org.example"),
            ("https://org.example@evil.example", "org.example"),
            ("https://org.example:444", "org.example:443"),
            ("http://org.example", "https://org.example"),
            ("https://org.example:99999", "org.example:443"),
            ("https:///x", "org.example"),
            ("https:///x", "https://"),
        ],
    )
    def test_any_other_is_refused(self, url: str, pinned: str) -> None:
        with pytest.raises(SecretError, match="may only be sent to"):
            check_host(url, {"ROLECALL_TOKEN_HOST": pinned})

    def test_a_pipeline_has_to_pin(self) -> None:
        with pytest.raises(SecretError) as caught:
            check_host("https://org.example", {"CI": "true"}, SecretRef("env", "T", HERE))
        assert caught.value.problems[0].where == HERE
        check_host("https://org.example", {})

    @pytest.mark.parametrize("url", ["local:org.db", "observed:org.yaml"])
    def test_an_org_without_a_host_needs_no_pin(self, url: str) -> None:
        check_host(url, {"CI": "true"})

    @pytest.mark.parametrize(
        ("said", "expected"), [("true", True), ("1", True), ("", False), ("false", False), ("0", False)]
    )
    def test_what_counts_as_a_pipeline(self, said: str, expected: bool) -> None:
        assert is_ci({"CI": said}) is expected
