"""Where each field must be: one function for each surface says whether a field is on it, by using the product."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from html import unescape
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fake_idps import Site, okta_answers, served
from org_client import Client, fill
from saml import METADATA

from rolecall.cli.main import run
from rolecall.codec.settings import encode_settings, encode_value
from rolecall.codec.snapshot import decode_snapshot, encode_snapshot
from rolecall.desired.build import read_config
from rolecall.errors import ConfigError
from rolecall.jobs.observe import questions
from rolecall.live.snapshot.file import read_snapshot
from rolecall.localorg.console import session
from rolecall.localorg.console.handle import handle_page
from rolecall.localorg.console.pages import path_of
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import Database
from rolecall.localorg.web import Request
from rolecall.model.fields import Field, Kind
from rolecall.model.kinds import BY_SECTION, initial_value

CONFIG_PAGE = Path(__file__).resolve().parents[2] / "docs" / "config.md"
HEAD = {"version": 1, "org": {"name": "acme", "url": "observed:org.yaml"}}
KEYS = {"domains": "acme.com", "idp_groups": "Admins", "idp_assignments": "Everyone", "idp_pushes": "Admins"}
OTHER = {"text": "Something else", "role": "team_admin", "teams": ["IT"], "document": METADATA}


def initial(kind: Kind) -> dict[str, Any]:
    """Return the value of a new org, or of a new entry, as JSON."""
    return dict(encode_value(kind.section, initial_value(kind)) or {})


def other(field: Field) -> Any:
    """Return a value that is not the initial one, as JSON."""
    if field.type == "flag":
        return not field.initial
    if field.type == "choice":
        return next(choice for choice in field.requestable or field.choices if choice != field.initial)
    return OTHER[field.type]


def section(kind: Kind, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section as configs and snapshots have it."""
    if kind.side == "idp":
        okta = {"url": "https://acme.okta.com", "app": "0oa1", "token": {"env": "OKTA_TOKEN"}}
        return {kind.path[0]: {"okta": okta, kind.path[1]: [{"name": KEYS[kind.section], **value}]}}
    return {kind.section: {KEYS[kind.section]: value} if kind.keyed else value}


def _snapshot(kind: Kind, value: Mapping[str, Any]) -> dict[str, Any]:
    whole = {"teams": ["Everyone", "IT"], "scim": initial(BY_SECTION["scim"]), "people": [], "idp_groups": {}}
    return {"snapshot": 1, "org": {"id": "acme"}, **whole, **section(kind, value)}


def _said(kind: Kind, field: Field, value: Any) -> dict[str, Any]:
    """Return a value with one field, or with all where the kind is compared as one."""
    parts = {"role": "member", "teams": ["Everyone"]} if kind.whole else {}
    return {**parts, field.name: value}


def _found(encoded: Any, kind: Kind, field: Field, value: Any) -> bool:
    held = encoded.get(kind.section)
    if kind.keyed and held is not None:
        held = held.get(KEYS[kind.section])
    return isinstance(held, dict) and held.get(field.name) == value


def in_config(kind: Kind, field: Field) -> bool:
    """Whether a config may say it, and whether it then is among what the config asks for."""
    value = other(field)
    with TemporaryDirectory() as folder:
        text = json.dumps({**HEAD, **section(kind, _said(kind, field, value))})
        (Path(folder) / "rolecall.yaml").write_text(text, encoding="utf-8")
        try:
            settings = read_config(Path(folder)).desired.settings
        except ConfigError:
            return False
    return _found(encode_settings(settings), kind, field, value)


def in_snapshot(kind: Kind, field: Field) -> bool:
    """Whether a snapshot file may say it, and whether it is read and written again."""
    value = other(field)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "org.json"
        path.write_text(json.dumps(_snapshot(kind, _said(kind, field, value))), encoding="utf-8")
        try:
            document = read_snapshot(path).value
        except ConfigError:
            return False
    return _found(encode_snapshot(decode_snapshot(document)), kind, field, value)


def _planned(kind: Kind, field: Field) -> tuple[dict[str, Any], str]:
    """Return the saved plan that changes this field, and its runbook."""
    wanted, live = other(field), field.initial
    if not field.updated:
        wanted, live = live, wanted
    if kind.side == "idp":
        return _planned_in_idp(kind)
    with TemporaryDirectory() as folder:
        org = {**_snapshot(kind, {**initial(kind), **_said(kind, field, _as_json(live))})}
        (Path(folder) / "org.yaml").write_text(json.dumps(org), encoding="utf-8")
        return _run(folder, {**HEAD, **section(kind, _said(kind, field, wanted))})


def _run(folder: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    (Path(folder) / "rolecall.yaml").write_text(json.dumps(config), encoding="utf-8")
    plan = Path(folder) / "plan.json"
    with redirect_stdout(StringIO()):
        run(["-C", folder, "plan", "--out", str(plan)])
    if not plan.exists():
        return {}, ""
    with redirect_stdout(StringIO()) as runbook:
        run(["-C", folder, "runbook", str(plan)])
    return json.loads(plan.read_text(encoding="utf-8")), runbook.getvalue()


def _planned_in_idp(kind: Kind) -> tuple[dict[str, Any], str]:
    """Return the saved plan that adds a group in an IdP that has it, and its runbook."""
    name, site = KEYS[kind.section], Site(groups=[KEYS[kind.section]], token="t")
    with TemporaryDirectory() as folder, served(site, okta_answers, okta=True) as url:
        snapshot = {"snapshot": 1, "org": {"id": "acme"}, "teams": [], "people": [], "idp_groups": {}}
        (Path(folder) / "org.yaml").write_text(json.dumps(snapshot), encoding="utf-8")
        (Path(folder) / "token").write_text(site.token, encoding="utf-8")
        okta = {"url": url, "app": "0oa1", "token": {"file": "token"}}
        return _run(folder, {**HEAD, kind.path[0]: {"okta": okta, kind.path[1]: [name]}})


def _as_json(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def in_plan(kind: Kind, field: Field) -> bool:
    """Whether a plan that changes it says so."""
    changes = _planned(kind, field)[0].get("changes", [])
    return any(row["path"] == field.name for change in changes for row in change["fields"])


def in_runbook(kind: Kind, field: Field) -> bool:
    """Whether the runbook of such a plan names it as the console does."""
    text = _planned(kind, field)[1]
    return f"**{field.label}**" in text if kind.whole else f"| {field.label} |" in text


def in_observe(kind: Kind, field: Field) -> bool:
    """Whether `observe` asks for it."""
    return any(question.field == field.name for question in questions(kind.section))


def in_api(database: Database, kind: Kind, field: Field) -> bool:
    """Whether the local org answers with it and, where an update may change it, takes it."""
    client = Client(database)
    path, item = _item(client, kind)
    if field.name not in item:
        return False
    if not field.updated:
        return True
    write = f"{path}/mapping" if kind.whole else path
    answer = client.write("PUT", write, _said(kind, field, other(field)))
    return answer.status < 500 and not (answer.status == 400 and answer.key == "unknown_field")


def _item(client: Client, kind: Kind) -> tuple[str, Mapping[str, Any]]:
    """Return the address of a singleton, or of one entry, and its fields."""
    if kind.whole:
        group = client.group(KEYS[kind.section])
        return f"{kind.api_path}/{group['id']}", group["mapping"]
    path = f"{kind.api_path}/{KEYS[kind.section]}" if kind.keyed else kind.api_path
    return path, client.get(path)


def in_console(database: Database, kind: Kind, field: Field) -> bool:
    """Whether the tab of its kind has a control for it, or shows its value."""
    token = make_token(database, "admin").secret
    cookie = f"{session.COOKIE}={session.open_session(database, token).id}"
    sent = {"host": "127.0.0.1:8787", "cookie": cookie}
    request = Request("GET", path_of(kind), "edit=1" if kind.whole else "", sent, b"", "127.0.0.1")
    html = handle_page(request, database).read().decode()
    return f'name="{field.name}' in html or f"<dt>{field.label}</dt>" in unescape(html)


def in_docs(kind: Kind, field: Field) -> bool:
    """Whether the page about the config has a row for it."""
    text = CONFIG_PAGE.read_text(encoding="utf-8")
    entry = {"org": ".NAME", "idp": "[]"}[kind.side] if kind.keyed else ""
    name = f"{'.'.join(kind.path)}{entry}.{field.name}"
    return re.search(rf"^\| `{re.escape(name)}` \|", text, re.MULTILINE) is not None


Appears = Callable[[Kind, Field], bool]


def surfaces(database: Database) -> dict[str, Appears]:
    """Return every surface by name; ``database`` is a local org, which is filled."""
    fill(database)
    return {
        "config": in_config,
        "snapshot": in_snapshot,
        "plan": in_plan,
        "runbook": in_runbook,
        "observe": in_observe,
        "api": lambda kind, field: in_api(database, kind, field),
        "console": lambda kind, field: in_console(database, kind, field),
        "docs": in_docs,
    }
