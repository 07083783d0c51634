"""Builds the ``Config`` of sources without errors: settings, intents, policy, org, users and journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, cast

from rolecall.codec.policy import days
from rolecall.codec.settings import decode_value, value_decoder
from rolecall.desired.check.idp import IDPS
from rolecall.desired.check.metadata import metadata_text
from rolecall.desired.check.validate import validate
from rolecall.desired.load.idp_groups import build_idp_groups
from rolecall.desired.load.merge import removes
from rolecall.desired.load.policy import read_policy
from rolecall.desired.load.read import load
from rolecall.desired.load.sources import Sources
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.desired import Desired, Intent
from rolecall.model.fields import Kind
from rolecall.model.kinds import ORG_KINDS, address
from rolecall.model.normalise import name as normal_name
from rolecall.model.settings import BLANK, Address, Settings, Sso, Value
from rolecall.model.target import (
    AUDIT_KEEP_DAYS,
    DEFAULT_JOURNAL,
    DEFAULT_KEEP_DAYS,
    AuditTarget,
    JournalTarget,
    OrgTarget,
    PeopleKind,
    PeopleShown,
    PeopleSource,
    SecretRef,
    UsageTarget,
    WriteCredential,
)
from rolecall.source.document import NodePath
from rolecall.source.yaml_file import collector_off


def build(sources: Sources, warnings: tuple[Problem, ...] = ()) -> Config:
    """Return the Config of sources without errors (see validate). Raises ConfigError when a file it names cannot be
    used.
    """
    effective = sources.effective
    with collector_off():
        settings, intents, places = *_sections(sources), sources.places()
    return Config(
        root=sources.root,
        main=sources.main,
        env=sources.env,
        org=build_org(effective["org"], sources),
        desired=Desired(settings, intents, read_policy(effective, sources), places),
        people=build_people(effective.get("people", "org"), sources),
        idp=build_idp(effective.get("idp", {}), sources),
        journal=build_journal(effective.get("journal", {}), sources),
        reports_people=effective.get("reports", {}).get("people"),
        include=tuple(effective.get("include", ())),
        digest=digest(effective, settings),
        files=sources.files,
        warnings=warnings,
        audit=build_audit(effective["audit"], sources) if "audit" in effective else None,
        usage=build_usage(effective["usage"], sources) if "usage" in effective else None,
        metadata_file=_metadata_file(effective.get("sso", {}).get("metadata")),
    )


def _metadata_file(metadata: Any) -> str:
    return metadata["file"] if isinstance(metadata, dict) else ""


def read_config(root: Path, env: str | None = None, main: str | None = None) -> Config:
    """Return the configuration in directory ``root``. Raises ConfigError with every error; the Config has the
    warnings.
    """
    sources = load(root, env, main)
    problems = validate(sources)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(*problems)
    return build(sources, tuple(problems))


def digest(effective: Mapping[str, Any], settings: Settings) -> str:
    """Return SHA-256 (hex) over the canonical JSON of the effective configuration and the files it names.

    It does not depend on how the configuration is split into files.
    """
    config = {key: value for key, value in effective.items() if key != "include"}
    metadata = settings.sso.metadata if isinstance(settings.sso, Sso) else None
    canonical = json.dumps([config, metadata or None], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _sections(sources: Sources) -> tuple[Settings, dict[Address, Intent]]:
    intents: dict[Address, Intent] = {}
    values: dict[str, Any] = {}
    for kind in ORG_KINDS:
        if kind.section in sources.effective:
            values[kind.section] = _keyed(kind, sources, intents) if kind.keyed else _singleton(kind, sources)
    idp_values, idp_intents = build_idp_groups(sources)
    return Settings(**values, **idp_values), {**intents, **idp_intents}


def _singleton(kind: Kind, sources: Sources) -> Value | None:
    fields = dict(sources.effective[kind.section])
    if isinstance(fields.get("metadata"), dict | str):
        fields["metadata"] = metadata_text(fields["metadata"], sources)
    return decode_value(kind.section, fields)


def _keyed(kind: Kind, sources: Sources, intents: dict[Address, Intent]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    decode = value_decoder(kind.section)
    for key, entry in sources.effective[kind.section].items():
        if not _SAID_ABOUT.isdisjoint(entry) and isinstance(entry, dict):
            intents[address(kind.section, key)] = _intent(entry, sources.where((kind.section, key), key=True))
        if not removes(entry):
            values[key] = BLANK if entry == "blank" or "blank" in entry else decode(entry)
    return values


def _intent(entry: Mapping[str, Any], source: Where) -> Intent:
    return Intent(
        source=source,
        owner=entry.get("owner"),
        reason=entry.get("reason"),
        ticket=entry.get("ticket"),
        protect=entry.get("protect", False),
        previously=tuple(map(normal_name, entry.get("previously", ()))),
        expires=date.fromisoformat(entry["expires"]) if "expires" in entry else None,
        id=entry.get("id"),
        remove=removes(entry),
    )


_SAID_ABOUT = frozenset(("owner", "reason", "ticket", "protect", "previously", "expires", "id", "remove"))


class Config(NamedTuple):
    """A configuration without errors. ``digest`` is SHA-256 over the canonical JSON of the effective configuration,
    hex. ``files`` are the files read, relative to ``root``. ``reports_people`` is None where the configuration leaves
    it to the output. ``idp`` is the connection to the IdP, which ``people`` may be too. ``metadata_file`` is the file
    that `sso.metadata` names, relative to ``root``, empty without one.
    """

    root: Path
    main: str
    env: str | None
    org: OrgTarget
    desired: Desired
    people: PeopleSource
    journal: JournalTarget
    reports_people: PeopleShown | None
    include: tuple[str, ...]
    digest: str
    files: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()
    audit: AuditTarget | None = None
    idp: PeopleSource | None = None
    metadata_file: str = ""
    usage: UsageTarget | None = None

    def where(self, path: NodePath, key: bool = False) -> Where:
        """Return the place of a part of the effective configuration, such as ``("idp_groups", "A", "teams", 0)``.

        Reads the files again, because a Config does not store places and only messages need them.
        """
        from rolecall.desired.load.read import load

        return load(self.root, self.env, self.main).where(path, key)


def secret(reference: Any, sources: Sources, path: NodePath) -> SecretRef:
    """Return the reference in ``{env: NAME}``, ``{file: PATH}`` or ``{exec: [...]}``."""
    ((kind, value),) = reference.items()
    return SecretRef(kind, tuple(value) if kind == "exec" else value, sources.where(path, key=True))


def build_org(org: dict[str, Any], sources: Sources) -> OrgTarget:
    """Return the org to connect to."""
    token = secret(org["token"], sources, ("org", "token")) if "token" in org else None
    return OrgTarget(org["name"], org["url"], org.get("id"), token, sources.where(("org", "url")))


def build_people(people: str | dict[str, Any], sources: Sources) -> PeopleSource:
    """Return where users are read from; ``org`` when the configuration has no source."""
    if people == "idp":
        return build_idp(sources.effective["idp"], sources) or PeopleSource()
    if isinstance(people, str):
        return PeopleSource()
    allow_empty = people.get("allow_empty", False)
    if "files" in people:
        patterns = people["files"] if isinstance(people["files"], list) else [people["files"]]
        place = sources.where(("people",), key=True)
        return PeopleSource("file", files=tuple(patterns), allow_empty=allow_empty, source=place)
    kind = next(name for name in ("file", "scim", "okta", "entra") if name in people)
    secrets = _secrets(people, ("token", "client_secret"), sources, "people")
    return PeopleSource(
        kind=cast(PeopleKind, kind),
        at=people[kind],
        app=people.get("app", ""),
        client_id=people.get("client_id", ""),
        url=people.get("url"),
        login_url=people.get("login_url"),
        allow_empty=allow_empty,
        source=sources.where(("people",), key=True),
        token=secrets.get("token"),
        client_secret=secrets.get("client_secret"),
    )


def build_idp(idp: dict[str, dict[str, Any]], sources: Sources) -> PeopleSource | None:
    """Return the connection to the IdP; None without the section `idp`."""
    for kind in (name for name in IDPS if name in idp):
        connection = idp[kind]
        names = ("token", "client_secret", "private_key")
        secrets = _secrets(connection, names, sources, "idp", kind)
        return PeopleSource(
            kind=cast(PeopleKind, kind),
            at=connection["url" if kind == "okta" else "tenant"],
            app=connection["app"],
            client_id=connection.get("client_id", ""),
            url=connection.get("url") if kind == "entra" else None,
            login_url=connection.get("login_url"),
            source=sources.where(("idp", kind), key=True),
            token=secrets.get("token"),
            client_secret=secrets.get("client_secret"),
            private_key=secrets.get("private_key"),
            section=f"idp.{kind}",
            write=_write_credential(connection["write"], sources, kind) if "write" in connection else None,
        )
    return None


def _write_credential(entry: Mapping[str, Any], sources: Sources, kind: str) -> WriteCredential:
    secrets = _secrets(entry, ("token", "private_key", "client_secret"), sources, "idp", kind, "write")
    return WriteCredential(client_id=entry.get("client_id", ""), **secrets)


def _secrets(entry: Mapping[str, Any], names: Sequence[str], sources: Sources, *path: str) -> dict[str, SecretRef]:
    """Return the references to secrets of an entry at a path, by their keys."""
    return {name: secret(entry[name], sources, (*path, name)) for name in names if name in entry}


def build_journal(journal: dict[str, Any], sources: Sources) -> JournalTarget:
    """Return the journal; ``.rolecall/journal.db`` when the configuration names none."""
    url = journal.get("url", DEFAULT_JOURNAL)
    keep = days(journal["keep"]) if "keep" in journal else DEFAULT_KEEP_DAYS
    source = sources.where(("journal",), key=True) if journal else None
    target = secret(url, sources, ("journal", "url")) if isinstance(url, dict) else url
    return JournalTarget(target, keep, source, named="url" in journal)


def build_audit(audit: dict[str, Any], sources: Sources) -> AuditTarget:
    """Return WRITER's audit log; its records are kept for 90 days unless the configuration says otherwise."""
    keep = days(audit["keep"]) if "keep" in audit else AUDIT_KEEP_DAYS
    token = secret(audit["token"], sources, ("audit", "token"))
    return AuditTarget(str(audit["writer"]), token, keep, audit.get("url"), sources.where(("audit",), key=True))


def build_usage(usage: dict[str, Any], sources: Sources) -> UsageTarget:
    """Return WRITER's usage data."""
    token = secret(usage["token"], sources, ("usage", "token"))
    return UsageTarget(str(usage["writer"]), token, usage.get("url"), sources.where(("usage",), key=True))
