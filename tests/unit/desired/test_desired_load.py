"""Test the files of a configuration: includes, overlays, links and unused files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rolecall.desired.load.files import environments
from rolecall.desired.load.read import load, load_each
from rolecall.errors import Where
from rolecall.model.kinds import address

HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"


def repo(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def told(folder: Path, env: str | None = None) -> list[str]:
    return [str(problem) for problem in load(folder, env).problems]


class TestIncludes:
    def test_files_are_merged_by_key_in_a_fixed_order(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {
                "rolecall.yaml": f"{HEAD}include: [groups/*.yaml, more.json]\nidp_groups: {{A: blank}}\n",
                "groups/b.yaml": "idp_groups: {B: blank}\n",
                "groups/a.yaml": "idp_groups: {C: blank}\ndefaults: {role: member, teams: [X]}\n",
                "more.json": '{"idp_groups": {"D": "blank"}}',
            },
        )
        sources = load(tmp_path)
        assert sources.problems == ()
        assert sources.files == ("rolecall.yaml", "groups/a.yaml", "groups/b.yaml", "more.json")
        assert list(sources.effective["idp_groups"]) == ["A", "C", "B", "D"]
        assert sources.where(("defaults", "role")) == Where("groups/a.yaml", 2, 18)
        assert sources.places()[address("idp_groups", "D")] == Where("more.json", 1, 17)

    @pytest.mark.parametrize("glob", [".", "./", "none/*.yaml", "[", "**"])
    def test_a_glob_that_matches_nothing_is_told(self, tmp_path: Path, glob: str) -> None:
        repo(tmp_path, {"rolecall.yaml": f"{HEAD}include: ['{glob}']\n"})
        assert told(tmp_path) == [f"rolecall.yaml:3:11: `{glob}` matches no file"]

    def test_a_key_in_two_files_names_both_places(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {
                "rolecall.yaml": f"{HEAD}include: ['*.yaml']\nidp_groups:\n  A: blank\nsso: {{name: x}}\n",
                "more.yaml": "idp_groups:\n  ' A': blank\n  B: blank\nsso: {enabled: true}\n",
            },
        )
        assert told(tmp_path) == [
            "more.yaml:2:3: `A` is also defined in rolecall.yaml:5:3. Keep one of the two",
            "more.yaml:4:1: `sso` is also defined in rolecall.yaml:6:1. Keep one of the two",
        ]

    @pytest.mark.parametrize("key", ["version: 1", "org: {}", "manage: {}", "guards: {}", "include: []", "people: org"])
    def test_what_is_not_a_section_cannot_be_included(self, tmp_path: Path, key: str) -> None:
        repo(tmp_path, {"rolecall.yaml": f"{HEAD}include: [more.yaml]\n", "more.yaml": f"{key}\n"})
        name = key.partition(":")[0]
        assert told(tmp_path) == [
            f"more.yaml:1:1: `{name}` is not allowed in an included file. Move it to rolecall.yaml"
        ]

    def test_a_misspelt_section_has_a_near_match(self, tmp_path: Path) -> None:
        repo(tmp_path, {"rolecall.yaml": f"{HEAD}include: [more.yaml]\n", "more.yaml": "idp_group: {}\n"})
        assert told(tmp_path)[0].endswith("Did you mean `idp_groups`?")

    def test_a_glob_that_matches_nothing_is_a_warning(self, tmp_path: Path) -> None:
        repo(tmp_path, {"rolecall.yaml": f"{HEAD}include:\n  - none/*.yaml\n"})
        (problem,) = load(tmp_path).problems
        assert (problem.severity, problem.code, problem.where) == ("warning", "no_match", Where("rolecall.yaml", 4, 5))

    @pytest.mark.parametrize("place", ["main", "overlay"])
    @pytest.mark.parametrize("section", ["idp_groups", "domains"])
    def test_it_is_an_error_where_a_section_is_authoritative(self, tmp_path: Path, section: str, place: str) -> None:
        """What is in no file is unmapped there, so fewer files are no smaller matter."""
        manage = f"manage: {{{section}: authoritative}}\n"
        files = {"rolecall.yaml": f"{HEAD}include: [none/*.yaml, some/*.yaml]\n", "some/a.yaml": "idp_groups: {}\n"}
        files["env/prod.yaml"] = "org: {name: b}\n"
        files["rolecall.yaml" if place == "main" else "env/prod.yaml"] += manage
        repo(tmp_path, files)
        (problem,) = load(tmp_path, "prod").problems
        assert (problem.severity, problem.code, problem.where) == ("error", "no_match", Where("rolecall.yaml", 3, 11))
        assert f"`manage.{section}: authoritative`" in (problem.hint or "")
        assert [one.severity for one in load(tmp_path).problems] == ["error" if place == "main" else "warning"]

    def test_what_another_glob_reads_is_not_passed_over(self, tmp_path: Path) -> None:
        """It is what the hints say to do."""
        globs = "['groups/**/*.yaml', 'groups/more/*.yaml', 'x/[A]*.yaml', x/a.yaml, 'x/[B]*.yaml']"
        texts = {
            "rolecall.yaml": f"{HEAD}include: {globs}\n",
            "x/a.yaml": "idp_groups: {}\n",
            "x/B.yaml": "ignore: []\n",
            "linked/b.yaml": "watch: []\n",
        }
        root = repo(tmp_path, texts)
        (root / "groups").mkdir()
        (root / "groups" / "more").symlink_to(root / "linked")
        assert not {"include_link", "include_case"} & {problem.code for problem in load(root).problems}

    def test_files_that_no_glob_matches_are_warnings(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {
                "rolecall.yaml": f"{HEAD}include: [groups/a.yaml]\n",
                "groups/a.yaml": "idp_groups: {}\n",
                "groups/b.yaml": "idp_groups: {}\n",
                "groups/misspelt.yml": "idp_grups: {}\n",
                "empty.yaml": "",
                ".hidden/c.yaml": "idp_groups: {}\n",
                "env/prod.yaml": "org: {name: b}\n",
                "org.yaml": "snapshot: 1\nidp_groups: {}\n",
                "mkdocs.yml": "site_name: x\nnav: []\n",
                "other/rolecall.yaml": HEAD,
                "other/groups.yaml": "idp_groups: {}\n",
            },
        )
        problems = load(tmp_path).problems
        assert {problem.severity for problem in problems} == {"warning"}
        assert [problem.where.file for problem in problems if problem.where] == [
            "empty.yaml",
            "groups/b.yaml",
            "groups/misspelt.yml",
        ]

    def test_a_glob_over_everything_reads_neither_overlays_nor_hidden_files_nor_itself(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {
                "rolecall.yaml": f"{HEAD}include: ['**/*.yaml']\n",
                "a/b.yaml": "idp_groups: {}\n",
                "env/prod.yaml": "org: {name: b}\n",
                ".github/x.yaml": "on: push\n",
                ".#a.yaml": "",
            },
        )
        assert load(tmp_path).files == ("rolecall.yaml", "a/b.yaml")

    @pytest.mark.parametrize("pattern", ["../x.yaml", "/etc/*.yaml", "a/../../x.yaml"])
    def test_globs_stay_inside(self, tmp_path: Path, pattern: str) -> None:
        root = repo(tmp_path / "repo", {"rolecall.yaml": f"{HEAD}include: ['{pattern}']\n"})
        repo(tmp_path, {"x.yaml": "idp_groups: {}\n"})
        (problem,) = load(root).problems
        assert (problem.severity, problem.code) == ("error", "outside")

    def test_links_stay_inside(self, tmp_path: Path) -> None:
        root = repo(tmp_path / "repo", {"rolecall.yaml": f"{HEAD}include: ['*.yaml']\n"})
        repo(tmp_path, {"secret.yaml": "idp_groups: {}\n"})
        (root / "link.yaml").symlink_to(tmp_path / "secret.yaml")
        assert told(root) == [
            f"link.yaml: is outside the configuration folder. Move it into {root}; links must not lead out of it"
        ]

    def test_broken_files_are_told_together(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {
                "rolecall.yaml": f"{HEAD}include: ['*.yaml', '*.json']\n",
                "a.yaml": "idp_groups: [\n",
                "b.yaml": "- a\n",
                "c.json": "{",
                "d.yaml": "# nothing yet\n",
                "e.yaml": "idp_groups: {X: blank}\n",
            },
        )
        sources = load(tmp_path)
        assert [problem.where.file for problem in sources.problems if problem.where] == [
            "a.yaml",
            "b.yaml",
            "d.yaml",
            "c.json",
        ]
        assert list(sources.effective["idp_groups"]) == ["X"]


class TestNames:
    def test_keys_are_normalised_and_keep_their_places(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {"rolecall.yaml": f"{HEAD}domains: {{ACME.com: {{}}}}\nidp_groups: {{' e\u0301 ': blank, B: blank}}\n"},
        )
        sources = load(tmp_path)
        assert list(sources.effective["domains"]) == ["acme.com"]
        assert list(sources.effective["idp_groups"]) == ["\u00e9", "B"]
        assert sources.where(("idp_groups", "\u00e9"), key=True) == Where("rolecall.yaml", 4, 14)

    def test_two_ways_to_write_one_name_are_a_duplicate(self, tmp_path: Path) -> None:
        repo(tmp_path, {"rolecall.yaml": f"{HEAD}domains:\n  acme.com: {{}}\n  Acme.COM: {{}}\n"})
        assert told(tmp_path) == [
            "rolecall.yaml:5:3: `Acme.COM` is the same name as `acme.com` at rolecall.yaml:4:3. Keep one of the two"
        ]

    @pytest.mark.parametrize("name", ["nodot", "a b.com", "-a.com", "x" * 64 + ".com", '"a@b.com"'])
    def test_what_is_no_domain_is_told(self, tmp_path: Path, name: str) -> None:
        repo(tmp_path, {"rolecall.yaml": f"{HEAD}domains: {{{name}: {{}}}}\n"})
        assert "is not a domain name" in told(tmp_path)[0]


class TestOverlays:
    base = f"""{HEAD}\
domains: {{a.com: {{discoverable: true, join: approval}}, b.com: {{}}}}
defaults: {{role: member, teams: [A, B]}}
idp_groups:
  X: {{role: member, teams: [A], owner: o@a.com}}
  Y: {{role: member, teams: [A]}}
  Z: blank
"""

    def effective(self, folder: Path, overlay: str) -> dict[str, Any]:
        repo(folder, {"rolecall.yaml": self.base, "env/prod.yaml": overlay})
        sources = load(folder, "prod")
        assert sources.problems == ()
        return sources.effective

    def test_maps_merge_by_key_and_all_else_replaces(self, tmp_path: Path) -> None:
        effective = self.effective(
            tmp_path,
            "org: {url: 'local:prod.db'}\ndefaults: {teams: [C]}\n"
            "idp_groups: {X: {role: team_admin}, Y: blank, Z: {role: member, teams: [A]}}\n",
        )
        assert effective["org"] == {"name": "a", "url": "local:prod.db"}
        assert effective["defaults"] == {"role": "member", "teams": ["C"]}
        assert effective["idp_groups"] == {
            "X": {"role": "team_admin", "teams": ["A"], "owner": "o@a.com"},
            "Y": "blank",
            "Z": {"role": "member", "teams": ["A"]},
        }

    def test_remove_drops_what_is_inherited(self, tmp_path: Path) -> None:
        effective = self.effective(
            tmp_path, "domains: {b.com: {remove: true}}\nidp_groups: {X: {owner: {remove: true}}, Y: {remove: true}}\n"
        )
        assert list(effective["domains"]) == ["a.com"]
        assert effective["idp_groups"] == {"X": {"role": "member", "teams": ["A"]}, "Z": "blank"}

    @pytest.mark.parametrize(
        ("said", "place", "hint"),
        [
            ("domains: {b.cmo: {remove: true}}\n", (1, 11), "did you mean `b.com`?"),
            ("domains: {old.net: {remove: true, reason: sold}}\n", (1, 11), "remove this entry"),
            ("idp_groups:\n  X: {protect: {remove: true}}\n", (2, 7), "remove this entry"),
            ("guards: {approval: {remove: true}}\n", (1, 10), "remove this entry"),
        ],
    )
    def test_remove_of_what_is_not_inherited_is_an_error_with_its_place(
        self, tmp_path: Path, said: str, place: tuple[int, int], hint: str
    ) -> None:
        repo(tmp_path, {"rolecall.yaml": self.base, "env/prod.yaml": said})
        (problem,) = load(tmp_path, "prod").problems
        assert (problem.code, problem.severity) == ("drops_nothing", "error")
        assert problem.where == Where("env/prod.yaml", *place)
        assert (problem.hint or "").startswith(hint)

    def test_a_delete_asked_for_below_stays_one(self, tmp_path: Path) -> None:
        repo(
            tmp_path,
            {
                "rolecall.yaml": f"{HEAD}domains: {{old.com: {{remove: true}}}}\n",
                "env/prod.yaml": "domains: {old.com: {remove: true}}\n",
            },
        )
        assert load(tmp_path, "prod").effective["domains"] == {"old.com": {"remove": True}}

    def test_places_are_those_of_the_file_that_said_it_last(self, tmp_path: Path) -> None:
        self.effective(tmp_path, "idp_groups:\n  X: {role: team_admin}\n")
        sources = load(tmp_path, "prod")
        assert sources.where(("idp_groups", "X", "role")) == Where("env/prod.yaml", 2, 13)
        assert sources.where(("idp_groups", "X", "teams", 0)) == Where("rolecall.yaml", 6, 29)
        assert sources.where(("idp_groups", "Y"), key=True) == Where("rolecall.yaml", 7, 3)

    def test_an_unknown_overlay_is_told_with_those_there_are(self, tmp_path: Path) -> None:
        repo(tmp_path, {"rolecall.yaml": self.base, "env/prod.yaml": "{}", "env/staging.yml": "{}", "env/x.txt": ""})
        assert environments(tmp_path) == ("prod", "staging")
        assert told(tmp_path, "prd") == ["env/prd.yaml: overlay `prd` not found. Did you mean `prod`?"]
        assert told(tmp_path, "../rolecall")[0].endswith("Choose one of the overlays: prod, staging")

    def test_each_overlay_is_loaded_from_files_read_once(self, tmp_path: Path) -> None:
        repo(tmp_path, {"rolecall.yaml": self.base, "env/prod.yaml": "{}", "env/staging.yaml": "{}"})
        prod, staging = load_each(tmp_path)
        assert (prod.env, staging.env) == ("prod", "staging")
        assert prod.documents[0] is staging.documents[0]


class TestMainFile:
    def test_no_config_says_how_to_get_one(self, tmp_path: Path) -> None:
        assert told(tmp_path)[0].startswith("rolecall.yaml: no configuration found. Use -C DIR for another folder")

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "rolecall.yaml:1:1: is empty"),
            (b"# later\n", "rolecall.yaml:1:1: is empty"),
            (b"- a\n", "rolecall.yaml:1:1: must be a map of sections"),
            (b"hello", "rolecall.yaml:1:1: must be a map of sections"),
            (b"\x00\x01\x02", "rolecall.yaml: is UTF-16, UTF-32 or binary"),
            (b"[" * 100_000, "is nested deeper than 100 levels"),
        ],
    )
    def test_what_is_no_config_is_told(self, tmp_path: Path, data: bytes, words: str) -> None:
        (tmp_path / "rolecall.yaml").write_bytes(data)
        (problem,) = load(tmp_path).problems
        assert words in str(problem)

    def test_a_directory_is_no_config(self, tmp_path: Path) -> None:
        (tmp_path / "rolecall.yaml").mkdir()
        assert told(tmp_path) == ["rolecall.yaml: is a folder. Use the path of a file"]

    def test_another_name_may_be_given(self, tmp_path: Path) -> None:
        repo(tmp_path, {"other.yaml": HEAD})
        assert load(tmp_path, main="other.yaml").files == ("other.yaml",)
