"""Test metrics as the node exporter's textfile collector reads them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rolecall.outside.metrics import Metric, Sample, metrics_text, write_anew, write_metrics

METRICS = [
    Metric("rolecall_drift", "By section.", (Sample(2, {"section": "sso", "env": 'a"b\\c\nd'}), Sample(0.25))),
    Metric("rolecall_nothing", "Never shown.", ()),
]
TEXT = (
    "# HELP rolecall_drift By section.\n# TYPE rolecall_drift gauge\n"
    'rolecall_drift{section="sso",env="a\\"b\\\\c\\nd"} 2\nrolecall_drift 0.25\n'
)


def test_the_exposition_format():
    assert metrics_text(METRICS) == TEXT


def test_large_and_exact_numbers_keep_their_digits():
    assert metrics_text([Metric("m", "h", (Sample(1795348800.5), Sample(12_345_678)))]).splitlines()[2:] == [
        "m 1795348800.5",
        "m 12345678",
    ]


def test_the_file_is_there_whole_or_as_it_was(tmp_path: Path):
    path = tmp_path / "rolecall.prom"
    path.write_text("old")
    write_metrics(path, METRICS)
    assert path.read_text() == TEXT
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [found.name for found in tmp_path.iterdir()] == ["rolecall.prom"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "rolecall.prom").mkdir()
    with pytest.raises(OSError):
        write_metrics(tmp_path / "rolecall.prom", METRICS)
    assert [found.name for found in tmp_path.iterdir()] == ["rolecall.prom"]


def test_metrics_written_anew_leave_the_others_and_nothing_that_is_none(tmp_path: Path):
    path = tmp_path / "rolecall.prom"
    write_metrics(path, [*METRICS, Metric("rolecall_last", "Before.", (Sample(1, {"a": "b"}), Sample(3)))])
    path.write_bytes(path.read_bytes() + b"\xff\nanother 3\n")
    for _ in range(2):
        write_anew(path, [Metric("rolecall_last", "Now.", (Sample(2),))])
        assert path.read_text() == TEXT + metrics_text([Metric("rolecall_last", "Now.", (Sample(2),))])


def test_metrics_written_anew_where_there_is_no_file(tmp_path: Path):
    write_anew(tmp_path / "rolecall.prom", METRICS)
    assert (tmp_path / "rolecall.prom").read_text() == TEXT
