"""Every file that a forge, a cluster or a shell reads is held to what reads it: its schema, or its own linter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
WORKFLOWS = sorted([*ROOT.glob("pipelines/github/*.yml"), *ROOT.glob("examples/*/.github/workflows/*.yml")])
SCRIPTS = [*ROOT.glob("script/*"), *ROOT.glob("action/*.sh"), *ROOT.glob("pipelines/cron/*"), ROOT / ".ci" / "run"]
SHELL = sorted(path for path in SCRIPTS if path.read_bytes().splitlines()[0].endswith(b"sh"))


def lint(tool: str, *args: str | Path) -> None:
    """Run a linter of this environment. It finds the other tools beside itself."""
    environ = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command = [str(BIN / tool), *map(str, args)]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_workflows(path: Path) -> None:
    lint("actionlint", "-no-color", path)
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)


def test_the_action() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


def test_the_gitlab_template() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", *ROOT.glob("pipelines/gitlab/*.yml"))


def test_the_cron_job_of_kubernetes() -> None:
    lint("kubernetes-validate", "--strict", *ROOT.glob("pipelines/kubernetes/*.yaml"))


def test_the_containerfile() -> None:
    lint("hadolint", "Containerfile")


def test_the_hooks_of_pre_commit() -> None:
    lint("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")
    lint("pre-commit", "validate-config", "pipelines/pre-commit/config.yaml", "examples/acme/.pre-commit-config.yaml")


def test_shell_scripts() -> None:
    assert SHELL
    lint("shellcheck", "--external-sources", *SHELL)


def test_yaml_is_plain_and_in_one_style() -> None:
    lint("yamllint", "--strict", *ROOT.glob("*.yml"), ROOT / "pipelines", ROOT / "examples")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_apply_is_ever_cancelled_and_an_environment_has_one_at_a_time(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, job in workflow["jobs"].items():
        used = [step for step in job["steps"] if "/rolecall@" in step.get("uses", "")]
        if any(step["with"]["command"] == "apply" for step in used):
            assert job["concurrency"]["cancel-in-progress"] is False, name
            assert job["environment"], "somebody has to approve"
            (env,) = {step["with"].get("env", "writer") for step in used}
            assert job["concurrency"]["group"].endswith(f"-{env}")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_workflows_use_inputs_and_outputs_that_the_action_has(path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"steps\.plan\.outputs\.(\w+)", text)) <= set(action["outputs"])
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            if "/rolecall@" in step.get("uses", ""):
                assert set(step["with"]) <= set(action["inputs"])


def test_the_cluster_and_the_container_run_as_nobody_on_a_root_that_is_read_only() -> None:
    job = yaml.safe_load((ROOT / "pipelines/kubernetes/drift.yaml").read_text(encoding="utf-8"))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    user = re.search(r"^USER (\d+):", (ROOT / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert user is not None
    assert pod["securityContext"]["runAsUser"] == int(user[1]) > 0
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert job["spec"]["concurrencyPolicy"] == "Forbid"


USES = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<version>\S+)(?P<comment>.*)")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_actions_of_others_are_pinned_by_commit(path: Path) -> None:
    used = [match for match in USES.finditer(path.read_text(encoding="utf-8")) if "/rolecall" not in match["action"]]
    assert used
    for match in used:
        assert re.fullmatch("[0-9a-f]{40}", match["version"]), match[0]
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", match["comment"]), "the version it stands for"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_secrets_that_write_are_only_in_jobs_with_an_environment(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, job in workflow["jobs"].items():
        writes = re.findall(r"secrets\.ROLECALL_(?:TOKEN|JOURNAL)\b", yaml.safe_dump(job))
        assert not writes or job.get("environment"), f"{name} of any branch has what may write"


WRITER_KEYS = ("WRITER_AUDIT_KEY", "WRITER_USAGE_KEY")


def test_the_keys_of_writer_are_in_the_jobs_that_read_them_and_in_no_job_of_a_fork() -> None:
    """GitHub gives no secrets to pull requests from forks, unless a workflow runs for `pull_request_target`."""
    jobs = {"rolecall-plan.yml": {"plan": 2}, "rolecall-apply.yml": {"plan": 2, "apply": 1}}
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert not {"pull_request_target", "workflow_run"} & set(workflow[True])
        expected = {**jobs, "rolecall-drift.yml": {"drift": 1}}[path.name]
        if path.parent.name == "github":
            found = {
                name: re.findall(r"secrets\.(WRITER_\w+)", yaml.safe_dump(job))
                for name, job in workflow["jobs"].items()
            }
            assert {name: sorted(keys) for name, keys in found.items()} == {
                name: sorted(WRITER_KEYS[:number]) for name, number in expected.items()
            }


def test_the_keys_of_writer_are_optional_in_the_cluster_and_described_for_gitlab() -> None:
    job = yaml.safe_load((ROOT / "pipelines/kubernetes/drift.yaml").read_text(encoding="utf-8"))
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    keys = {each["name"]: each.get("valueFrom") for each in container["env"]}
    reference = {"name": "rolecall", "key": "writer-audit-key", "optional": True}
    assert keys["WRITER_AUDIT_KEY"] == {"secretKeyRef": reference}
    template = (ROOT / "pipelines/gitlab/rolecall.gitlab-ci.yml").read_text(encoding="utf-8")
    head = template.partition("\nvariables:")[0]
    assert all(name in head for name in WRITER_KEYS)
    assert not any(name in template.removeprefix(head) for name in WRITER_KEYS), (
        "variables of the project, not the file"
    )


def test_the_base_image_is_pinned_by_digest() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert bases
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases)


def test_every_plan_of_a_merge_queue_is_made() -> None:
    for path in WORKFLOWS:
        if path.name == "rolecall-plan.yml":
            triggers = yaml.safe_load(path.read_text(encoding="utf-8"))[True]
            assert set(triggers) == {"pull_request", "merge_group"}
