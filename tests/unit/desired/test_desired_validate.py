"""Test every kind of mistake in a configuration: its message, place and hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.desired.check.validate import validate, validate_repo
from rolecall.desired.load.read import load

HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"


def told(folder: Path, text: str, head: str = HEAD) -> list[str]:
    (folder / "rolecall.yaml").write_text(head + text, encoding="utf-8")
    found = validate(load(folder))
    return [f"{'' if problem.severity == 'error' else 'warning: '}{problem}" for problem in found]


class TestSchema:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("idp_group: {}", "3:1: `idp_group` is not a key of the configuration. Did you mean `idp_groups`?"),
            ("scim: {enabeld: true}", "3:8: `enabeld` is not a key of `scim`. Did you mean `enabled`?"),
            (
                "scim: {zzz: 1}",
                "3:8: `zzz` is not a key of `scim`. Use one of: enabled, idp, endpoint, manual_editing,",
            ),
            ("scim: {enabled: null}", "3:8: `enabled` has no value. Add a value, or remove the key"),
            (
                "idp_groups: {A: {role:member}}",
                "3:18: `role:member` is not a key of `A`. Write `role: member`, with a space after the colon",
            ),
            (
                "idp_groups: {A:blank}",
                "3:14: `A:blank` has no value. Write `A: blank`, with a space after the colon",
            ),
            (
                "defaults: role:member",
                "3:11: `defaults` must be a map, not the text `role:member`. Write `role: member`, with a space",
            ),
            (
                "people: {fiels:x}",
                "3:10: `fiels:x` is not a key of `people`. Write `fiels: x`, with a space after the colon",
            ),
            ("domains:", "3:1: `domains` has no value"),
            ("idp_groups: {A: }", "3:14: `A` has no value"),
            ("scim: {enabled: yes}", "3:17: `enabled` must be true or false, not the text `yes`. Write `true`"),
            ("scim: {enabled: OFF}", "3:17: `enabled` must be true or false, not the text `OFF`. Write `false`"),
            ("scim: {endpoint: nwe}", "3:18: `endpoint` cannot be `nwe`. Use one of: legacy, new"),
            ("scim: {endpoint: upgrading}", "3:18: `endpoint` cannot be `upgrading`. Use one of: legacy, new"),
            ("scim: {}", "3:7: `scim` is empty. To leave it unmanaged, remove the key"),
            ("sso: {name: ''}", "3:13: `name` is empty"),
            ("sso: {name: 5}", "3:13: `name` must be text, not the number `5`. Put it in quotes"),
            ("defaults: {role: member, teams: []}", "3:33: `teams` is empty. Add at least one item, or remove the key"),
            ("defaults: {role: member, teams: X}", "3:33: `teams` must be a list, not the text `X`. Write [X]"),
            ("defaults: {teams: [A, B, A]}", "3:26: `teams` contains `A` twice. Keep one of the two"),
            ("defaults: {teams: [[A]]}", "3:20: `teams[0]` must be text, not a list"),
            ("idp_groups: {A: blnak}", "3:17: `A` cannot be `blnak`. Did you mean `blank`?"),
            ("idp_groups: {A: {blank: false}}", "3:25: `blank` cannot be `false`. Use one of: true"),
            ("idp_groups: {A: [x]}", "3:17: `A` must be a map or text, not a list"),
            (
                "idp_groups: {A: {role: member, teams: [X], expires: soon}}",
                "3:53: `expires` cannot be `soon`. Write it like",
            ),
            ("idp_groups: {A: {role: member, team: [X]}}", "3:32: `team` is not a key of `A`. Did you mean `teams`?"),
            (
                "manage: {domains: authorative}",
                "3:19: `domains` cannot be `authorative`. Did you mean `authoritative`?",
            ),
            ("guards: {min_org_admins: 0}", "3:26: `min_org_admins` must be at least 1"),
            ("guards: {max_removals: {review: 101%}}", "3:33: `review` cannot be `101%`. Write it like `10` or `2%`"),
            ("guards: {max_removals: {review: -1}}", "3:33: `review` must be at least 0"),
            ("guards: {max_removals: 5}", "3:24: `max_removals` must be a map, not the number `5`"),
            (
                "guards: {observed_age: {review: 30}}",
                "3:33: `review` must be text, not the number `30`. Write it like `30d`",
            ),
            ("guards: {escalations: {org_admn: deny}}", "3:24: `org_admn` is not a key of `escalations`. Did you mean"),
            ("guards: {required_org_admins: [ann]}", "3:32: `required_org_admins[0]` cannot be `ann`. Write it like"),
            (
                "allow: [{guard: max-removals, up_to: 1, until: 2026-01-01, reason: x}]",
                "3:17: `guard` cannot be `max-removals`",
            ),
            ("allow: [{guard: upgrade, up_to: 1, until: 2026-01-01}]", "3:9: `allow[0]` has no `reason`"),
            ("ignore: [{address: sso}]", "3:10: `ignore[0]` has no `reason`"),
            ("reports: {people: name}", "3:19: `people` cannot be `name`. Did you mean `names`?"),
            ("people: orgs", "3:9: `people` cannot be `orgs`. Did you mean `org`?"),
            ("people: {okta: 'https://a.okta.com', token: {env: T}}", "3:1: `people` has no `app`"),
            ("people: {fiels: x}", "3:10: `fiels` is not a key of `people`. Did you mean `files`?"),
            ("people: {app: x}", "3:9: `people` has no source. Add one of: file, files, scim, okta, entra"),
            ("people: {file: x, okta: 'https://a'}", "3:19: `okta` is not a key of `people`. Use one of: file"),
            (
                "journal: {keep: forever}",
                "3:17: `keep` cannot be `forever`. Write it like `30d`, `6w`, `12m` or `2y`",
            ),
            ("include: groups", "3:10: `include` must be a list, not the text `groups`. Write [groups]"),
            ("sso: {metadata: {file: .}}", "3:24: `.` is a folder. Use the path of a file"),
            ("include: '*.yaml'", "3:10: `include` must be a list, not the text `*.yaml`. Write ['*.yaml']"),
            ("watch: [org_admin]", "3:8: `watch` must be a map, not a list. List its keys: rolecall help config watch"),
            (
                "guards: {max_removals: 3}",
                "3:24: `max_removals` must be a map, not the number `3`. List its keys: rolecall help config guards",
            ),
            ("sso: {metadata: 3}", "3:17: `metadata` must be a map or text, not the number `3`. List its keys:"),
            (
                "idp_groups: {A: Marketing}",
                "3:17: `A` cannot be `Marketing`. Write `{role: member, teams: [Marketing]}`, or `blank` for a group",
            ),
            ("idp_groups: {A: '[b'}", "3:17: `A` cannot be `[b`. Write `{role: member, teams: [TEAM]}`, or `blank`"),
            ("idp_groups: {A: blnk}", "3:17: `A` cannot be `blnk`. Did you mean `blank`?"),
        ],
    )
    def test_one_mistake_is_one_line(self, tmp_path: Path, text: str, expected: str) -> None:
        first = told(tmp_path, f"{text}\n")[0]
        assert first.startswith(f"rolecall.yaml:{expected}")

    @pytest.mark.parametrize("name", ["0", "010", "+5", "-1", "1e3", "99999999999999999999999", "a/b", "~1"])
    def test_names_that_look_like_numbers_or_pointers_are_told_too(self, tmp_path: Path, name: str) -> None:
        (problem,) = told(tmp_path, f"idp_groups:\n  good: blank\n  7: blank\n  {name}: balnk\n")
        assert problem.startswith(f"rolecall.yaml:6:{len(name) + 5}: `{name}` cannot be `balnk`")

    def test_a_missing_org_and_url_are_told(self, tmp_path: Path) -> None:
        assert told(tmp_path, "", "version: 1\n") == [
            "rolecall.yaml:1:1: the configuration has no `org`. Add `org`; for what it takes: rolecall help config"
        ]
        assert told(tmp_path, "", "version: 1\norg: {name: a}\n") == [
            "rolecall.yaml:2:1: `org` has no `url`. Add it, such as `url: https://rolecall.example.com`"
        ]

    @pytest.mark.parametrize(
        ("version", "shown"),
        [("2", "2"), ("'1'", "1"), ("true", "true"), ("1.5", "1.5"), ("null", "null"), ("[1]", "a list")],
    )
    def test_another_version_is_refused_and_nothing_else_is_said(
        self, tmp_path: Path, version: str, shown: str
    ) -> None:
        (problem,) = told(tmp_path, "new_key: 1\n", f"version: {version}\norg: {{}}\n")
        assert problem.startswith(f"rolecall.yaml:1:10: format version {shown if shown == 'a list' else f'`{shown}`'}")
        assert problem.endswith("Write `version: 1`, or update rolecall")

    def test_all_mistakes_of_all_files_come_at_once_and_in_order(self, tmp_path: Path) -> None:
        (tmp_path / "more.yaml").write_text("idp_groups: {B: {role: member}, C: 5}\n", encoding="utf-8")
        problems = told(
            tmp_path,
            "include: [more.yaml, none.yaml]\n"
            "defaults: {role: org_admin, teams: []}\nidp_groups: {A: {}}\nsso: {x: 1}\n",
        )
        assert [problem.split(": ")[0] if "warning" not in problem else "warning" for problem in problems] == [
            "rolecall.yaml:3:22",
            "rolecall.yaml:4:36",
            "rolecall.yaml:5:17",
            "rolecall.yaml:6:7",
            "more.yaml:1:18",
            "more.yaml:1:36",
        ]

    def test_a_long_name_is_cut_in_messages(self, tmp_path: Path) -> None:
        (problem,) = told(tmp_path, f"idp_groups: {{{'x' * 500}: 5}}\n")
        assert len(problem) < 200

    def test_what_the_schema_refuses_is_not_told_again_by_the_rules(self, tmp_path: Path) -> None:
        assert len(told(tmp_path, "idp_groups: {A: {role: member, tems: [X]}}\n")) == 1
        assert len(told(tmp_path, "allow: [{guard: upgrade, up_to: 1, until: 2026-99-99, reason: 5}]\n")) == 1


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            "people: {okta: 'https://a.okta.com', app: x, token: canary-1}",
            "people: {entra: t, app: x, client_id: c, client_secret: canary-1}",
            "people: {scim: 'https://user:canary-1@host/scim', token: {env: T}}",
            "journal: {url: 'mysql://user:canary-1@host'}",
            "journal: {url: {env: 'canary-1 x'}}",
            "journal: {url: 'postgresql://user:canary-1@host/db'}",
            "journal: {url: 'postgresql://host/db?user=u&password=canary-1'}",
            "journal: {url: 'postgresql://user:canary-1@[host/db'}",
            "people: {scim: 'https://host', token: {env: canary-1}}",
            "people: {scim: 'https://host', token: {value: x, canary: [canary-1]}}",
            "people: {scim: 'https://host', token: [canary-1]}",
        ],
    )
    def test_a_literal_is_an_error_that_does_not_show_it(self, tmp_path: Path, text: str) -> None:
        problems = told(tmp_path, f"{text}\n")
        assert problems
        assert "canary-1" not in "".join(problems)

    def test_the_orgs_token_has_to_be_a_reference(self, tmp_path: Path) -> None:
        head = "version: 1\norg: {name: a, url: 'https://h.example', token: canary-1}\n"
        assert told(tmp_path, "", head) == [
            "rolecall.yaml:2:49: `token` contains the secret itself. "
            "Revoke this secret, because it may have been read in this file; set a variable to a new one, and write "
            "`token: {env: NAME}` with the name of the variable"
        ]

    def test_a_password_in_the_url_of_the_journal_goes_into_the_variable_that_ci_reads(self, tmp_path: Path) -> None:
        (problem,) = told(tmp_path, "journal: {url: 'postgresql://user:canary-1@host/db'}\n")
        assert "`journal.url` contains a password" in problem
        assert problem.endswith("set ROLECALL_JOURNAL to the new URL, and write `url: {env: ROLECALL_JOURNAL}`")

    def test_one_reference_is_enough(self, tmp_path: Path) -> None:
        head = "version: 1\norg: {name: a, url: 'https://h.example', token: {env: A, file: b}}\n"
        assert told(tmp_path, "", head) == [
            "rolecall.yaml:2:49: `token` has more than one source. Keep one of: env, file"
        ]


class TestSections:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("defaults: {role: Org admin, teams: [A]}", "3:18: the default role cannot be org admin (R3)"),
            ("idp_groups: {A: {role: member}}", "3:18: `A` has a role but no team (R4)"),
            (
                "idp_groups: {A: {role: org_admin}}",
                "3:18: `A` has a role but no team (R4). Add `teams`; org admins need",
            ),
            ("idp_groups: {A: {owner: x}}", "3:14: `A` has neither a role nor teams. Add `role` and `teams`, or set"),
            ("idp_groups: {A: {blank: true, role: member, teams: [X]}}", "3:18: `A` has both `blank` and `role`"),
            ("idp_groups: {A: {blank: true, expires: 2026-01-01}}", "3:18: `A` has both `blank` and `expires`"),
            ("idp_groups: {A: {remove: true, teams: [X]}}", "3:18: `A` has both `remove` and `teams`"),
            ("idp_groups: {A: {remove: true, blank: true}}", "3:32: `A` has both `blank` and `remove`"),
            (
                "domains: {a.com: {remove: true, join: approval}}",
                "3:19: `a.com` has both `remove` and a setting",
            ),
            ("sso: {enabled: false}\nscim: {enabled: true}", "4:17: SCIM requires SSO, which is off (R1)"),
            (
                "manage: {domains: authoritative}\ndomains: {}\nsso: {enabled: true}",
                "5:16: SSO requires a claimed domain",
            ),
            (
                "scim: {endpoint: legacy}\nidp_groups: {A: {role: member, teams: [X]}, B: blank}",
                "3:18: 1 group is mapped, but the legacy endpoint does not support mappings (R18)",
            ),
            ("idp_groups: {' ': blank}", "3:14: `idp_groups` has an entry without a name"),
            ('idp_groups: {"a\\nb": blank}', "3:14: this name contains a control character"),
        ],
    )
    def test_the_rules_hold(self, tmp_path: Path, text: str, expected: str) -> None:
        (problem,) = told(tmp_path, f"{text}\n")
        assert problem.startswith(f"rolecall.yaml:{expected}")

    @pytest.mark.parametrize(
        "text",
        [
            "domains: {}\nsso: {enabled: true}",
            "sso: {enabled: false}\nscim: {enabled: false}",
            "scim: {enabled: true}",
            "scim: {endpoint: legacy}\nidp_groups: {B: blank, C: {remove: true}}",
            "idp_groups: {no: blank, 010: blank, null: blank, 'a/b': blank, '👩‍💻': blank, שלום: blank}",
            "idp_groups: {A: {remove: true, reason: gone}, B: {blank: true, owner: x}}",
            "defaults: {role: Team admin, teams: [A]}",
        ],
    )
    def test_what_may_be_is_let_through(self, tmp_path: Path, text: str) -> None:
        assert told(tmp_path, f"{text}\n") == []

    def test_teams_without_a_role_are_a_warning(self, tmp_path: Path) -> None:
        (problem,) = told(tmp_path, "idp_groups: {A: {teams: [X]}}\n")
        assert problem.startswith("warning: rolecall.yaml:3:18: `A` has teams but no role")
        assert "(R31)" in problem


class TestNames:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "idp_groups:\n  A: {blank: true, id: g1}\n  B: {blank: true, id: g1}",
                "5:24: the id `g1` is already used by `A` at rolecall.yaml:4:24",
            ),
            ("idp_groups:\n  A: {blank: true, previously: [' A ']}", "4:33: `A` is the current name of the group"),
            (
                "idp_groups:\n  A: {blank: true, previously: [B]}\n  B: blank",
                "4:33: `B` cannot be a former name: it has its own entry at rolecall.yaml:5:3",
            ),
            (
                "idp_groups:\n  A: {blank: true, previously: [X]}\n  B: {blank: true, previously: [X]}",
                "5:33: `X` is also listed as a former name of `A`",
            ),
            (
                "idp_groups: {A: {role: member, teams: [X], expires: 2026-02-30}}",
                "3:53: `2026-02-30` is not a valid date. Write a date such as 2030-01-31",
            ),
            ("ignore: [{address: sso, reason: x, until: 2026-13-01}]", "3:43: `2026-13-01` is not a valid date"),
            ("allow: [{guard: upgrade, up_to: 1, until: 2025-02-29, reason: x}]", "3:43: `2025-02-29` is not"),
            ("ignore: [{address: idp_group/x, reason: x}]", "3:20: `idp_group/x` is not a valid address. Did you mean"),
            (
                "ignore: [{address: idp_groups, reason: x}]",
                "3:20: `idp_groups` is not a valid address. For all entries, write `idp_groups/*`",
            ),
            ("ignore: [{address: sso/x, reason: x}]", "3:20: `sso/x` is not a valid address. Write `sso`"),
            (
                "allow: [{guard: upgrade, for: domain/x, up_to: 1, until: 2026-01-01, reason: x}]",
                "3:31: `domain/x` is not a valid address. Did you mean `domains`?",
            ),
        ],
    )
    def test_contradictions_are_told(self, tmp_path: Path, text: str, expected: str) -> None:
        (problem,) = told(tmp_path, f"{text}\n")
        assert problem.startswith(f"rolecall.yaml:{expected}")

    @pytest.mark.parametrize("address", ["idp_groups/*", "idp_groups/a/b", "*", "*/x", "[di]*", "scim"])
    def test_globs_are_addresses(self, tmp_path: Path, address: str) -> None:
        assert told(tmp_path, f"ignore: [{{address: '{address}', reason: x}}]\n") == []


class TestTargets:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("ftp://x", "2:21: this is not a valid org URL. Use https://HOST, observed:FILE or local:PATH"),
            ("acme.example.com", "2:21: this is not a valid org URL"),
            ("local:", "2:21: this is not a valid org URL"),
            ("https://", "2:21: this URL has no valid host"),
            ("https://a b", "2:21: this URL has no valid host"),
            ("https://${HOME}", "2:21: this URL has no valid host"),
            ("https://exämple..com", "2:21: this URL has no valid host"),
            (f"https://{'a' * 64}.com", "2:21: this URL has no valid host"),
            ("https://h:99999", "2:21: this is not a valid URL"),
            (
                "https://u:canary@h",
                "2:21: a URL must not contain a user or a password. Remove the user and the password",
            ),
            ("https://h/?token=canary", "2:21: a URL must not contain `?` or `#`"),
            ("observed:../org.yaml", "2:21: `../org.yaml` is outside the configuration folder"),
            ("observed:/etc/passwd", "2:21: `/etc/passwd` is outside the configuration folder"),
        ],
    )
    def test_forms_of_the_url(self, tmp_path: Path, url: str, expected: str) -> None:
        head = f"version: 1\norg: {{name: a, url: '{url}', token: {{env: T}}}}\n"
        (problem,) = told(tmp_path, "", head)
        assert problem.startswith(f"rolecall.yaml:{expected}")
        assert "canary" not in problem

    @pytest.mark.parametrize(
        "url",
        [
            "https://h",
            "https://ex-ämple.com.",
            "https://my_gateway.internal",
            "HTTPS://h:8443/base",
            "http://127.0.0.1:80",
            "http://[::1]:80",
            "local:/x/y.db",
            "observed:o.yaml",
        ],
    )
    def test_urls_that_are_fine(self, tmp_path: Path, url: str) -> None:
        assert told(tmp_path, "", f"version: 1\norg: {{name: a, url: '{url}', token: {{env: T}}}}\n") == []

    def test_what_is_unwise_is_a_warning(self, tmp_path: Path) -> None:
        (problem,) = told(tmp_path, "", "version: 1\norg: {name: a, url: 'https://h.example'}\n")
        assert problem.startswith("warning: rolecall.yaml:2:21: an org with an https:// URL requires a token")

    def test_plain_http_is_for_this_machine(self, tmp_path: Path) -> None:
        (problem,) = told(tmp_path, "", "version: 1\norg: {name: a, url: 'http://h.example', token: {env: T}}\n")
        assert problem.startswith("rolecall.yaml:2:21: http:// is allowed only for this machine")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("sso: {metadata: {file: none.xml}}", "3:24: file `none.xml` not found"),
            ("sso: {metadata: {file: ../x.xml}}", "3:24: `../x.xml` is outside the configuration folder"),
            ("people: {file: ../p.csv}", "3:16: `../p.csv` is outside the configuration folder"),
            ("people: {files: [../*.csv]}", "3:18: `../*.csv` is outside the configuration folder"),
            ("people: {entra: t, app: a}", "3:1: Entra requires credentials. Add `client_id` and `client_secret`"),
            ("people: {scim: 'https://h/#x', token: {env: T}}", "3:16: a URL must not contain `?` or `#`"),
        ],
    )
    def test_files_and_people(self, tmp_path: Path, text: str, expected: str) -> None:
        (problem,) = told(tmp_path, f"{text}\n")
        assert problem.startswith(f"rolecall.yaml:{expected}")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("people: {file: none.csv}", "3:16: file `none.csv` not found"),
            ("people: {files: members/*.csv}", "3:17: `members/*.csv` matches no file"),
            ("people: {files: members/**.csv}", "3:17: `members/**.csv` matches no file"),
        ],
    )
    def test_a_file_of_users_may_come_later(self, tmp_path: Path, text: str, expected: str) -> None:
        (problem,) = told(tmp_path, f"{text}\n")
        assert problem.startswith(f"warning: rolecall.yaml:{expected}")


LEGAL, SALES = "{team: Legal, role: team_admin}", "{team: Sales, role: team_admin}"


class TestPolicy:
    @pytest.mark.parametrize(
        ("test", "expected"),
        [
            ("{name: t}", "3:16: `t` must have one of `person`, `role` and `never_together`"),
            ("{name: t, person: a@b.c, role: member, has: member}", "3:16: `t` must have one of `person`, `role` and"),
            ("{name: t, person: a@b.c, at_most: 3}", "3:41: `at_most` does not apply to a `person` test"),
            ("{name: t, role: member, at_most: -1}", "3:49: "),
            (
                "{name: t, role: member, only_domains: [acme]}",
                "3:55: `acme` is not a domain name. Write the part",
            ),
            (f"{{name: t, never_together: [{LEGAL}]}}", "3:42: "),
            (
                f"{{name: t, never_together: [{LEGAL}, {SALES}], at_most: 1}}",
                "3:110: `at_most` does not apply to a",
            ),
            (
                f"{{name: t, never_together: [{LEGAL}, {{team: Legal, role: member}}]}}",
                "3:76: team_admin and member of team `Legal` include each other",
            ),
            (
                "{name: t, role: member, at_mots: 3}",
                "3:40: `at_mots` is not a key of `access_tests[0]`. Did you mean `at_most`?",
            ),
            ("{name: t, person: a@b.c}", "3:16: `t` has no expectation. Add expect or has or never"),
            ("{name: t, role: member}", "3:16: `t` has no expectation. Add granted_by_only"),
            ("{name: t, role: member, has: member}", "3:40: `has` does not apply to a `role` test. Use gr"),
            (
                "{name: t, person: a@b.c, granted_by_only: [X]}",
                "3:41: `granted_by_only` does not apply to a `person` test",
            ),
            (
                "{name: t, person: ann, has: member}",
                "3:34: `ann` is not an email address. Write a user's email address, or `person: {groups: ",
            ),
        ],
    )
    def test_access_tests_that_test_nothing(self, tmp_path: Path, test: str, expected: str) -> None:
        (problem,) = told(tmp_path, f"access_tests: [{test}]\n")
        assert problem.startswith(f"rolecall.yaml:{expected}")

    def test_a_band_upside_down_is_a_warning(self, tmp_path: Path) -> None:
        (problem,) = told(tmp_path, "guards: {max_removals: {review: 10, block: 5}}\n")
        assert problem.startswith("warning: rolecall.yaml:3:44: `block` (5) is lower than `review` (10)")


class TestOverlays:
    base = f"""{HEAD}\
guards: {{min_org_admins: 2, max_removals: {{review: 5}}, escalations: deny}}
watch: {{roles: [org_admin]}}
idp_groups:
  A: {{role: member, teams: [X], protect: true}}
"""

    def told(self, folder: Path, overlay: str) -> list[str]:
        (folder / "rolecall.yaml").write_text(self.base, encoding="utf-8")
        (folder / "env").mkdir(exist_ok=True)
        (folder / "env" / "prod.yaml").write_text(overlay, encoding="utf-8")
        return [str(problem) for problem in validate_repo(folder)]

    @pytest.mark.parametrize(
        ("overlay", "expected"),
        [
            (
                "guards: {min_org_admins: 1}",
                "1:10: this overlay makes `guards.min_org_admins` less strict, from `2` to `1`",
            ),
            (
                "guards: {max_removals: {review: 6}}",
                "1:25: this overlay makes `guards.max_removals.review` less strict, from `5` to `6`",
            ),
            (
                "guards: {escalations: {custom: allow}}",
                "1:10: this overlay makes `guards.escalations.org_admin` less strict, from `deny` to `review`",
            ),
            ("guards: {remove: true}", "1:1: this overlay makes `guards.min_org_admins` less strict"),
            ("watch: {roles: []}", "1:9: this overlay makes `watch.roles` less strict, from `org_admin` to nothing"),
            (
                "manage: {idp_groups: unmanaged}",
                "1:10: this overlay makes `manage.idp_groups` less strict, from `additive`",
            ),
            (
                "ignore: [{address: sso, reason: x}]",
                "1:1: this overlay makes `ignore` less strict, from nothing to `sso`",
            ),
            (
                "allow: [{guard: upgrade, up_to: 1, until: 2026-01-01, reason: x}]",
                "1:1: this overlay makes `allow` less strict, from nothing to `upgrade up to 1 until 2026-01-01`",
            ),
            (
                "idp_groups: {A: {protect: false}}",
                "1:14: this overlay makes `idp_groups/A.protect` less strict, from true to false",
            ),
            (
                "idp_groups: {A: {remove: true}}",
                "1:14: this overlay makes `idp_groups/A.protect` less strict, from true to false",
            ),
        ],
    )
    def test_loosening_is_an_error(self, tmp_path: Path, overlay: str, expected: str) -> None:
        assert self.told(tmp_path, f"{overlay}\n")[0].startswith(f"env/prod.yaml:{expected}")

    @pytest.mark.parametrize(
        "overlay",
        [
            "guards: {min_org_admins: 3, max_removals: {review: 4, block: 5}, approval: recorded}",
            "watch: {roles: [org_admin, team_admin]}",
            "manage: {idp_groups: authoritative}",
            "idp_groups: {A: {teams: [Y]}, B: {blank: true, protect: true}}",
            "access_tests: [{name: t, person: a@b.c, has: member}]",
        ],
    )
    def test_tightening_is_fine(self, tmp_path: Path, overlay: str) -> None:
        assert self.told(tmp_path, f"{overlay}\n") == []

    def test_a_mistake_in_the_policy_is_told_once_and_not_judged(self, tmp_path: Path) -> None:
        assert len(self.told(tmp_path, "guards: {min_org_admins: 0}\n")) == 1
        found = self.told(tmp_path, "allow: [{guard: upgrade, up_to: 1, until: 2026-99-01, reason: x}]\n")
        assert [problem.split(": ")[1].split(" ")[0] for problem in found] == ["`2026-99-01`"]

    def test_a_mistake_below_every_overlay_is_told_once(self, tmp_path: Path) -> None:
        (tmp_path / "env").mkdir()
        (tmp_path / "env" / "staging.yaml").write_text("org: {name: s}\n", encoding="utf-8")
        self.base = f"{HEAD}idp_groups: {{A: {{role: member}}}}\n"
        assert len(self.told(tmp_path, "org: {name: p}\n")) == 1


def test_what_nobody_can_explain_is_refused_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rolecall.desired.check.schema_errors.explain", lambda *_: [])
    assert told(tmp_path, "scim: {enabled: 1}\n") == [
        "rolecall.yaml:3:17: `scim.enabled` does not match the schema (type). "
        "For the keys and their values: rolecall help config"
    ]


class TestOtherFiles:
    def test_a_snapshot_is_not_a_configuration(self, tmp_path: Path) -> None:
        (tmp_path / "org.yaml").write_text("snapshot: 1\norg: {id: o}\n", encoding="utf-8")
        (problem,) = validate(load(tmp_path, main="org.yaml"))
        assert problem.code == "not_a_config"
        assert str(problem) == (
            "org.yaml:1:1: is a snapshot, not a configuration. "
            "Create a configuration with `url: observed:org.yaml`, and use it: rolecall plan -c rolecall.yaml"
        )

    def test_a_saved_plan_is_not_a_configuration(self, tmp_path: Path) -> None:
        (tmp_path / "plan.json").write_text('{"format_version": "1.0", "org": {}}', encoding="utf-8")
        (problem,) = validate(load(tmp_path, main="plan.json"))
        assert str(problem).startswith("plan.json:1:1: is a saved plan or a report, not a configuration. Use the")

    def test_an_included_snapshot_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "org.yaml").write_text("snapshot: 1\norg: {id: o}\n", encoding="utf-8")
        assert told(tmp_path, "include: ['*.yaml']\n") == [
            "org.yaml:1:1: is a snapshot, not a configuration. Remove it from `include`"
        ]

    def test_a_value_cut_by_a_comment_is_a_warning(self, tmp_path: Path) -> None:
        text = "idp_groups:\n  A:\n    role: member\n    teams:\n      - Sales #1\n"
        assert told(tmp_path, text) == [
            "warning: rolecall.yaml:7:9: the value ends at `Sales`, because `#1` is a comment. "
            'To keep `#1`, quote it: "Sales #1"; for a comment, write `# `'
        ]
