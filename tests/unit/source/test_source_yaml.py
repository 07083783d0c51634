"""Test values and places of YAML files, and how malicious or invalid ones are refused."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest

from rolecall.errors import ConfigError, Where
from rolecall.source.marks import pack
from rolecall.source.yaml_file import load_yaml, parse_yaml


def refused(data: bytes, limit: int | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_yaml(data, "f.yaml") if limit is None else load_yaml(data, "f.yaml", limit)
    return [str(problem) for problem in caught.value.problems]


class TestValues:
    def test_the_core_schema_decides_what_a_plain_value_is(self) -> None:
        text = b"[1, -2, +3, 010, 0o17, 0xfF, 1.5, .5, 1e3, true, False, TRUE, null, ~, , 2026-12-31, 1_000, 0b1, 1:30]"
        value = load_yaml(text.replace(b", ,", b", Null,")).value
        assert value == [
            *(1, -2, 3, 10, 15, 255, 1.5, 0.5, 1000.0),
            *(True, False, True, None, None, None),
            *("2026-12-31", "1_000", "0b1", "1:30"),
        ]

    @pytest.mark.parametrize("word", ["yes", "no", "on", "off", "y", "n", "Yes", "NO", "tRUE", "nULL"])
    def test_other_words_are_text(self, word: str) -> None:
        assert load_yaml(word.encode()).value == word

    def test_keys_are_always_their_text(self) -> None:
        assert load_yaml(b"{no: 1, 010: 2, null: 3, 1.0: 4, true: 5, ~: 6}").value == {
            "no": 1,
            "010": 2,
            "null": 3,
            "1.0": 4,
            "true": 5,
            "~": 6,
        }

    def test_quoted_and_block_scalars_are_text(self) -> None:
        assert load_yaml(b"a: '1'\nb: \"true\"\nc: |\n  5\n").value == {"a": "1", "b": "true", "c": "5\n"}

    def test_values_have_exactly_the_builtin_types(self) -> None:
        value = load_yaml(b"{a: [1, 1.5, true, null, x]}").value
        assert type(value) is dict
        assert [type(one) for one in value["a"]] == [int, float, bool, type(None), str]

    def test_a_number_too_long_to_count_with_is_text(self) -> None:
        assert load_yaml(b"9" * 5000).value == "9" * 5000

    @pytest.mark.parametrize("data", [b"", b"# nothing\n", b"---\n...\n", b"\xef\xbb\xbf"])
    def test_an_empty_file_is_none(self, data: bytes) -> None:
        document = load_yaml(data, "f.yaml")
        assert document.value is None
        assert document.where(("a",)).file == "f.yaml"

    def test_a_byte_order_mark_goes(self) -> None:
        document = load_yaml(b"\xef\xbb\xbfa: 1\n", "f")
        assert document.value == {"a": 1}
        assert document.where(("a",), key=True) == Where("f", 1, 1)

    @pytest.mark.parametrize(
        "name",
        [
            "x" * 500,
            'say "hi"',
            "it's",
            "a/b\\c",
            "👩‍💻 team",
            "e\u0301",
            "שלום עולם",
            "#hash",
            "a: b",
            "- dash",
            "{}",
            "*",
            " ",
        ],
    )
    def test_odd_names_survive_quoting(self, name: str) -> None:
        quoted = name.replace("'", "''")
        document = load_yaml(f"groups:\n  '{quoted}': 1\n".encode())
        assert document.value == {"groups": {name: 1}}
        assert document.where(("groups", name)).line == 2

    def test_aliases_give_the_anchors_value(self) -> None:
        document = load_yaml(b"a: &x {b: [1]}\nc: *x\nd: 5\n", "f")
        assert document.value == {"a": {"b": [1]}, "c": {"b": [1]}, "d": 5}
        assert document.where(("c",)) == Where("f", 2, 4)
        assert document.where(("c", "b", 0)) == Where("f", 1, 12)
        assert document.where(("d",)) == Where("f", 3, 4)


class TestPlaces:
    text = "a:\n  b: [x, {c: 1}]\n  'd e':\n    - y\nz: ä: 1\n".replace("ä: 1", "[ä, b]").encode()

    @pytest.mark.parametrize(
        ("path", "key", "line", "column"),
        [
            ((), False, 1, 1),
            (("a",), True, 1, 1),
            (("a",), False, 2, 3),
            (("a", "b"), True, 2, 3),
            (("a", "b"), False, 2, 6),
            (("a", "b", 0), False, 2, 7),
            (("a", "b", 1, "c"), True, 2, 11),
            (("a", "b", 1, "c"), False, 2, 14),
            (("a", "d e"), True, 3, 3),
            (("a", "d e", 0), False, 4, 7),
            (("z", 1), False, 5, 8),
        ],
    )
    def test_every_part_knows_its_place(self, path: tuple[str | int, ...], key: bool, line: int, column: int) -> None:
        assert load_yaml(self.text, "f").where(path, key) == Where("f", line, column)

    def test_a_path_that_ends_early_gives_the_deepest_part(self) -> None:
        document = load_yaml(self.text, "f")
        assert document.where(("a", "nothing")) == document.where(("a",))
        assert document.where(("a", "b", 9)) == document.where(("a", "b"))
        assert document.where(("a", "b", "c")) == document.where(("a", "b"))

    def test_entries_gives_the_places_of_all_keys(self) -> None:
        assert load_yaml(self.text, "f").entries(("a",)) == {"b": pack(1, 2), "d e": pack(2, 2)}
        assert load_yaml(self.text, "f").entries(("z",)) == {}
        assert load_yaml(self.text, "f").entries(("none",)) == {}

    def test_has_tells_what_is_there(self) -> None:
        document = load_yaml(self.text)
        assert document.has(("a", "b", 1, "c"))
        assert not any(map(document.has, [("b",), ("a", "b", 2), ("a", "b", "c"), ("a", 0), ("z", 0, 0)]))


class TestFaults:
    def test_all_duplicate_keys_are_told_with_both_places(self) -> None:
        text = b"a: 1\nb:\n  x: 1\n  x: {deep: [1, {y: 2}]}\n  z: 1\na: [2]\n'b': 3\n"
        assert refused(text) == [
            "f.yaml:4:3: `x` is defined twice, first at f.yaml:3:3. Keep one of the two",
            "f.yaml:6:1: `a` is defined twice, first at f.yaml:1:1. Keep one of the two",
            "f.yaml:7:1: `b` is defined twice, first at f.yaml:2:1. Keep one of the two",
        ]

    def test_places_stay_right_after_a_duplicate(self) -> None:
        document = parse_yaml(b"a: 1\na: {b: [1, 2]}\nc: 3\n", "f")
        assert document.value == {"a": 1, "c": 3}
        assert document.where(("c",)) == Where("f", 3, 4)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (b"a: !!str 1", "f.yaml:1:4: the tag `tag:yaml.org,2002:str` is not allowed"),
            (b"a: !x {b: 1}", "f.yaml:1:4: the tag `!x` is not allowed"),
            (b"!x a: 1", "f.yaml:1:1: the tag `!x` is not allowed"),
            (b"a: !!python/object/apply:os.system [x]", "f.yaml:1:4: the tag"),
            (b"a: &x {b: 1}\n<<: *x", "f.yaml:2:1: merge keys (`<<`) are not supported"),
            (b"? [a]\n: 1", "f.yaml:1:3: a map, a list or an alias cannot be a key"),
            (b"? {a: 1}\n: 1", "f.yaml:1:3: a map, a list or an alias cannot be a key"),
            (b"a: &x b\n*x : 1", "f.yaml:2:1: a map, a list or an alias cannot be a key"),
            (b"&x a: 1", "f.yaml:1:1: the key `a` has an anchor"),
            (b"a: *none", "f.yaml:1:4: the alias `*none` has no anchor"),
            (b"a: &x [*x]", "f.yaml:1:8: the alias `*x` is inside its own anchor"),
            (b"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document starts here"),
            (b"%YAML 1.1\n---\na: 1\n", "f.yaml:1:1: uses YAML 1.1, which is not supported"),
            (b"%YAML 3.0\n---\na: 1\n", "f.yaml:1:1: is not valid YAML: the YAML version is not supported"),
            (b"a:\n\t- b", "f.yaml:2:1: is not valid YAML: this line is indented with a tab. Indent it with spaces"),
            (
                b"a:\n  b: 1\n\tc: 2",
                "f.yaml:3:1: is not valid YAML: this line is indented with a tab. Indent it with spaces",
            ),
            (b"a: b: c", "f.yaml:1:5: is not valid YAML: a `key: value` pair is not allowed here"),
            (b"a: [1, 2\nb: 3\n", "f.yaml:1:4: is not valid YAML: the list that starts here is not closed"),
            (b"a: {b: 1\n", "f.yaml:1:4: is not valid YAML: the map that starts here is not closed"),
            (b"a: 'b\n", "f.yaml:2:1: is not valid YAML: a quoted text is not closed before the end of the file"),
            (b'a: "\\q"', "f.yaml:1:5: is not valid YAML: unknown escape sequence in double quotes"),
            (b"a: @b", "f.yaml:1:4: is not valid YAML: a value cannot start with `@`. Put the value in quotes"),
            (b"- a\nb: 1", "f.yaml:2:1: is not valid YAML: expected a list item here"),
            (b"a: }", "f.yaml:1:4: is not valid YAML: expected a value here"),
            (b'"\\ud800"', "f.yaml:1:"),
        ],
    )
    def test_each_fault_is_told_in_plain_words_at_its_place(self, text: bytes, told: str) -> None:
        (problem,) = refused(text)
        assert problem.startswith(told)

    def test_faults_that_leave_the_rest_readable_come_together(self) -> None:
        assert len(refused(b"a: !x 1\nb: !y 2\na: 3\n")) == 3

    def test_what_was_found_before_a_fatal_fault_is_told_too(self) -> None:
        assert len(refused(b"a: 1\na: 2\nb: [\n")) == 2


class TestEncoding:
    @pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_wide_encodings_are_refused(self, codec: str) -> None:
        (problem,) = refused("version: 1\n".encode(codec))
        assert problem == "f.yaml: is UTF-16, UTF-32 or binary, not UTF-8. Save it as UTF-8"

    def test_a_byte_that_is_no_utf8_is_told_with_its_place(self) -> None:
        assert refused("a: 1\nb: \u00e4".encode() + b"\xe9\n") == [
            "f.yaml:2:5: byte 0xe9 is not UTF-8 text. Save it as UTF-8"
        ]

    @pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
    def test_line_ends_that_editors_do_not_count_are_refused_unless_escaped(self, char: str) -> None:
        (problem,) = refused(f"a: 1\nb: x{char}y\n".encode())
        assert problem.startswith(f"f.yaml:2:5: the character U+{ord(char):04X} is not allowed here")
        assert load_yaml(f'b: "x\\u{ord(char):04x}y"'.encode()).value == {"b": f"x{char}y"}

    @pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\ufffe"])
    def test_control_characters_are_refused_with_their_place(self, char: str) -> None:
        (problem,) = refused(f"abc: 1\nb: x{char}y\n".encode())
        assert problem.startswith(f"f.yaml:2:5: the character U+{ord(char):04X} is not allowed here")

    def test_a_binary_file_is_refused(self) -> None:
        assert len(refused(bytes(range(256)) * 16)) == 1
        assert len(refused(b"\x7fELF\x02\x01\x01\x00\x00\x00")) == 1


class TestLimits:
    @pytest.mark.parametrize(
        "data", [b"[" * 100_000, b"{a: " * 100_000, b"- " * 100_000, b"? " * 100_000, b"a: 1\na: " + b"[" * 100_000]
    )
    def test_depth_is_stopped_at_once(self, data: bytes) -> None:
        started = time.perf_counter()
        told = refused(data)[-1]
        assert "nested deeper than 100 levels" in told or "cannot be a key" in told
        assert time.perf_counter() - started < 2

    def test_a_hundred_levels_are_allowed(self) -> None:
        assert load_yaml(b"[" * 100 + b"]" * 100).value is not None
        assert "deeper" in refused(b"[" * 101 + b"]" * 101)[0]

    def test_a_billion_laughs_is_stopped(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
        assert refused("\n".join(lines).encode()) == [
            "f.yaml:4:50: aliases expand this file to more than 10 times its size"
        ]

    def test_size_is_stopped_before_reading(self, tmp_path: Path) -> None:
        path = tmp_path / "big.yaml"
        with path.open("wb") as stream:
            stream.truncate(50 * 1024 * 1024)
        with pytest.raises(ConfigError, match="larger than 32 MiB"):
            load_yaml(path)
        assert "larger than" in refused(b"a" * 2_000_000, limit=1_000_000)[0]

    def test_the_number_of_events_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rolecall.source.composer.MAX_EVENTS", 1000)
        assert "has more than 1,000 YAML nodes" in refused(b"- a\n" * 2000)[0]
        assert "has more than 1,000 YAML nodes" in refused(b"a: 1\na: [" + b"x, " * 2000 + b"]")[-1]
        assert len(load_yaml(b"- a\n" * 900).value) == 900

    def test_the_collector_is_left_as_it_was(self) -> None:
        assert gc.isenabled()
        refused(b"a: [")
        assert gc.isenabled()


class TestFiles:
    def test_a_file_is_called_by_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_text("a: 1\n", encoding="utf-8")
        assert load_yaml(path, "shown.yaml").where(("a",)) == Where("shown.yaml", 1, 4)
        assert load_yaml(path).where(("a",)).file == str(path)

    def test_what_is_no_file_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="is a folder"):
            load_yaml(tmp_path, "x")
        with pytest.raises(ConfigError, match="file not found"):
            load_yaml(tmp_path / "none", "x")
        with pytest.raises(ConfigError, match="not a regular file"):
            load_yaml(Path("/dev/null"), "x")


class TestComments:
    @pytest.mark.parametrize(
        ("text", "place", "ends_at", "quoted"),
        [
            ("- Sales #1\n", "1:3", "`Sales`", '"Sales #1"'),
            ("reason: approved in   #123 by Ann\n", "1:9", "`approved in`", '"approved in #123"'),
            ("a: {b: Émile #2\n}\n", "1:8", "`Émile`", '"Émile #2"'),
            ("a:\n  Sales #1: {b: c}\n", "2:3", "`Sales`", '"Sales #1"'),
        ],
    )
    def test_a_value_that_a_comment_cuts_is_a_warning(self, text: str, place: str, ends_at: str, quoted: str) -> None:
        (problem,) = parse_yaml(text.encode(), "f.yaml").problems
        assert (problem.code, problem.severity) == ("cut_value", "warning")
        assert str(problem).startswith(f"f.yaml:{place}: the value ends at {ends_at}, because `#")
        assert quoted in str(problem)
        assert load_yaml(text.encode()).value is not None

    def test_a_value_that_is_only_a_comment_is_empty(self) -> None:
        (problem,) = parse_yaml(b"ticket: #123\n", "f.yaml").problems
        assert problem.message == "this value is empty, because `#123` is a comment"

    @pytest.mark.parametrize(
        "text",
        [
            "a: b # comment\n",
            "a: 'Sales #1'\n",
            'a: "x" #1\n',
            "#a\na: b\n  #b\n",
            "a: x#1\n",
            "a: [b] #1\n",
            "a: |\n  b #1\n",
            "a: b ##### c\n",
        ],
    )
    def test_other_comments_are_fine(self, text: str) -> None:
        assert parse_yaml(text.encode()).problems == ()

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("a:\n  Sales #1:\n    b: c\n", "2:9"),
            ("a: [Legal #1, Sales]\n", "1:11"),
            ("a: {Sales #1: x}\n", "1:11"),
            ("a:\n  Sales #1: blank\n  B: blank\n", "2:9"),
            ("a:\n  B: blank\n  Sales #1: blank\n", "3:9"),
        ],
    )
    def test_a_syntax_error_that_a_comment_causes_names_the_comment(self, text: str, place: str) -> None:
        (problem,) = refused(text.encode())
        assert problem.startswith(f"f.yaml:{place}: is not valid YAML: `#1")
        assert problem.endswith('Quote a name that contains ` #`, such as "Sales #1"')

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("a:\n  role:member\n  teams: [A]\n", "2:3: is not valid YAML: there is no space after `role:`"),
            ("a:\n  teams: [A]\n  role:member\n", "3:3: is not valid YAML: there is no space after `role:`"),
            ("a: {role:member,teams:[A]}\n", "1:22: is not valid YAML: there is no space after this `:`"),
        ],
    )
    def test_a_syntax_error_without_a_space_names_the_colon(self, text: str, place: str) -> None:
        assert refused(text.encode()) == [f"f.yaml:{place}. Write `key: value`, with a space after the colon"]
