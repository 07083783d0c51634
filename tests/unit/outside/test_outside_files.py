"""Test writing to a path: files are replaced as a whole, and other kinds of paths are kept."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rolecall.outside.files import write_file
from rolecall.outside.metrics import Metric, Sample, write_metrics

GAUGE = (Metric("rolecall_drift_counted", "Drift.", (Sample(2),)),)


def test_metrics_to_a_link_are_in_its_target_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_metrics(tmp_path / "link", GAUGE)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text().endswith("rolecall_drift_counted 2\n")
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o644


def test_a_link_to_a_file_that_is_not_there_yet_makes_that_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_file(tmp_path / "link", "text")
    assert (tmp_path / "target").read_text() == "text"
    assert (tmp_path / "link").is_symlink()


def test_metrics_go_through_a_pipe_that_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    texts: list[str] = []
    reader = threading.Thread(target=lambda: texts.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_metrics(tmp_path / "pipe", GAUGE)
    reader.join()
    assert texts[0].endswith("rolecall_drift_counted 2\n")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_device_is_written_to() -> None:
    write_file(Path(os.devnull), "text")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_an_open_descriptor_goes_on_where_it_is(tmp_path: Path, name: str) -> None:
    """What was printed before and what is printed after stay, although the descriptor is a regular file."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    code = (
        "import sys; from pathlib import Path; from rolecall.outside.files import write_file\n"
        "print('before', flush=True); write_file(Path(sys.argv[1]), 'text\\n'); print('after')"
    )
    with (tmp_path / "log").open("w") as log:
        subprocess.run([sys.executable, "-c", code, name], cwd=tmp_path, stdout=log, check=True)
    assert (tmp_path / "log").read_text() == "before\ntext\nafter\n"


@pytest.mark.parametrize("refusal", [errno.EBUSY, errno.EACCES])
def test_a_file_that_cannot_be_replaced_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    """Such as one that is mounted into a container by itself."""
    (tmp_path / "mounted").write_text("a longer text than the new one")

    def refuse(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(Path, "replace", refuse)
    write_file(tmp_path / "mounted", "new")
    assert (tmp_path / "mounted").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["mounted"]
    with pytest.raises(OSError, match=os.strerror(refusal)):
        write_file(tmp_path / "absent", "new")
    assert not (tmp_path / "absent").exists()


def test_a_ring_of_links_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError) as refused:
        write_file(tmp_path / "one", "text")
    assert refused.value.filename == str(tmp_path / "one")
    assert (tmp_path / "one").is_symlink()


def test_a_large_file_is_written_in_parts(tmp_path):
    path = tmp_path / "large.jsonl"
    write_file(path, lambda: iter([b"one\n", "zwölf\n".encode()]))
    assert path.read_bytes() == "one\nzwölf\n".encode()
    assert path.stat().st_mode & 0o777 == 0o600


def test_parts_that_fail_leave_what_was_there(tmp_path):
    path = tmp_path / "large.jsonl"
    path.write_text("before")

    def parts():
        yield b"half"
        raise KeyError("x")

    with pytest.raises(KeyError):
        write_file(path, parts)
    assert [file.name for file in tmp_path.iterdir()] == ["large.jsonl"]
    assert path.read_text() == "before"
