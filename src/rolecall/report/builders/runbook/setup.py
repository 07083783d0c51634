"""Build the runbook that sets up an org for the first time, with the values of a configuration filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, address, initial_value, overlay, restrict
from rolecall.model.settings import UNSET, Address, Defaults, Domain, GroupMapping, Scim, Settings, Sso, Value
from rolecall.report.builders.prose import chapter, read_prose
from rolecall.report.builders.runbook.idp import (
    ROLE_ATTRIBUTE,
    group_values,
    idp_choice,
    idp_part,
    idp_prose,
    push_chapter,
)
from rolecall.report.builders.runbook.manual_step import ManualStep, StepContext
from rolecall.report.builders.runbook.steps import step_chapter
from rolecall.report.document import Chapter, Document
from rolecall.report.phrases import visible


def setup_document(settings: Settings, idp: str, org: str, metadata_file: str = "") -> Document:
    """Return the steps from a new org to the settings of a configuration, for one IdP.

    Domains, teams, the default access, SSO, SCIM, users and groups in the IdP, mappings. Sign-in by password goes off
    last, after a user has signed in by SSO and the groups are mapped.
    """
    named = _with_idp(settings, idp)
    texts, values = read_prose("setup.yaml"), _values(named, idp)
    context = StepContext(named, metadata_file=metadata_file, parts=("sso", "scim"), whole=True)
    steps = list(_numbered(named, idp, context))
    last = len(steps) - 1 if _passwords_go_off(named) else len(steps)
    mapped = next((number for number, step in enumerate(steps, 1) if " · Map " in step.title), last)
    before = chapter(texts["before"], {**values, "map": str(mapped), "last": str(last)})
    chapters = [before, *steps, chapter(texts["after"], values)]
    title = texts["title"].format(idp=idp_prose(idp)["name"], org=visible(org))
    return Document("runbook", title=title, chapters=tuple(chapters))


def _with_idp(settings: Settings, idp: str) -> Settings:
    """Return the settings with SSO and SCIM on for this IdP, keeping the name of another one."""
    sso = settings.sso if isinstance(settings.sso, Sso) else Sso()
    scim = settings.scim if isinstance(settings.scim, Scim) else Scim()
    return replace(
        settings,
        sso=replace(sso, enabled=True, idp=_same_idp(sso.idp, idp), name=sso.name or idp_choice(idp)),
        scim=replace(scim, enabled=True, idp=_same_idp(scim.idp, idp)),
    )


def _same_idp(name: object, idp: str) -> str:
    """Return the name that the configuration has for this IdP, or else the IdP."""
    known = idp_prose(idp)
    return name if isinstance(name, str) and idp_prose(name.casefold()) is known else idp


def _values(settings: Settings, idp: str) -> dict[str, str]:
    scim = settings.scim
    attribute = scim.role_attribute if isinstance(scim, Scim) else UNSET
    return {
        "idp": idp_prose(idp)["name"],
        "choice": idp_choice(idp),
        "role_attribute": visible(attribute) if isinstance(attribute, str) else ROLE_ATTRIBUTE,
    }


def _numbered(settings: Settings, idp: str, context: StepContext) -> Iterator[Chapter]:
    """Yield a chapter for each step, numbered from 1; those in the IdP take a number too."""
    legacy = isinstance(settings.scim, Scim) and settings.scim.endpoint == "legacy"
    for number, part in enumerate(_parts(settings, idp, legacy=legacy), 1):
        if isinstance(part, Chapter):
            yield part._replace(title=f"Step {number} · {part.title}", step=True)
        else:
            read = isinstance(part[0].before, Sso) and part[0].before == Sso(allow_passwords=True)
            yield step_chapter(
                ManualStep(number, tuple(part)), context._replace(whole=False, metadata_file="") if read else context
            )


def _passwords_go_off(settings: Settings) -> bool:
    return isinstance(settings.sso, Sso) and settings.sso.allow_passwords is False


def _parts(settings: Settings, idp: str, *, legacy: bool) -> Iterator[Chapter | Sequence[Change]]:
    """Yield the steps: changes, or a chapter where the configuration has no value or the step is in the IdP."""
    texts, values, sso = read_prose("setup.yaml"), _values(settings, idp), settings.sso
    assert isinstance(sso, Sso)
    domains = [] if settings.domains is UNSET else sorted(settings.domains.items())
    yield from ([_change(address("domains", name), domain)] for name, domain in domains)
    if not domains:
        yield chapter(texts["domain"], values)
    default = settings.defaults
    if teams := _teams(settings):
        items = [texts["teams"]["first"], *(f"**{{team_{number}}}**" for number in range(len(teams)))]
        named = {f"team_{number}": visible(team) for number, team in enumerate(teams)}
        yield chapter({**texts["teams"], "items": items}, named)
    set_default = isinstance(default, Defaults) and default != Defaults()
    yield [_change(address("defaults"), default)] if set_default else chapter(texts["default"], values)
    yield [_change(address("sso"), replace(sso, allow_passwords=UNSET, metadata=UNSET))]
    yield [_change(address("scim"), settings.scim)]
    groups = {} if settings.idp_groups is UNSET else settings.idp_groups
    ordered = sorted(groups, key=str.casefold)
    mapped = [_change(address("idp_groups", name), groups[name]) for name in ordered if not groups[name].blank]
    if legacy:
        yield chapter(idp_prose(idp)["legacy"], values)
        yield chapter(idp_part(idp, "people", ordered), {**values, **group_values(ordered)})
    elif idp == "okta" and mapped:
        yield push_chapter(idp, ordered, texts["push"])
        yield mapped
        yield chapter({**idp_part(idp, "people", pushes=False), "title": texts["assign"]}, values)
    else:
        yield chapter(idp_part(idp, "people", ordered), {**values, **group_values(ordered)})
        yield mapped or chapter(texts["map"], values)
    if _passwords_go_off(settings):
        yield [Change(address("sso"), "update", Sso(allow_passwords=True), Sso(allow_passwords=False), via="human")]


def _teams(settings: Settings) -> list[str]:
    """Return the teams that the configuration names and that a new org does not have."""
    groups = {} if settings.idp_groups is UNSET else settings.idp_groups
    named = {team for mapping in groups.values() for team in mapping.teams}
    default = settings.defaults.teams if isinstance(settings.defaults, Defaults) else UNSET
    named |= set() if default is UNSET else default
    existing = BY_SECTION["defaults"].field("teams").initial
    return sorted(named.difference(existing), key=str.casefold)


def _change(at: Address, value: Value | object) -> Change:
    """Return the change from the initial value of an org to this one."""
    section = at.partition("/")[0]
    if isinstance(value, Domain | GroupMapping):
        return Change(at, "create", None, value, via="human")
    assert isinstance(value, Defaults | Sso | Scim)
    initial = initial_value(BY_SECTION[section])
    return Change(at, "update", restrict(initial, value), overlay(restrict(initial, value), value), via="human")
