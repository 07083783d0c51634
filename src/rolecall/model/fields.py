"""Defines what is known about fields and kinds of settings; each is declared once, on the classes in
``model.settings``.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from rolecall.model.roles import ORG_ADMIN

FieldType = Literal["flag", "choice", "text", "role", "teams", "document"]
"""``document`` is a text that a configuration reads from a file; ``role`` and ``teams`` are names known to the org."""

MAX_TEAM_NAME = 200
"""Maximum number of characters in a team name."""


class Field(NamedTuple):
    """One field of a kind, for every place that reads, writes, shows or asks for it.

    ``title`` and ``description`` are for schemas, docs and the local console, ``label`` (else the title) is its label
    in WRITER's console, ``hint`` is shown next to its control, ``question`` is what `observe` asks (None: it does not
    ask). ``initial`` is the value in a new org. ``words`` are the names of the values in WRITER's console; ``custom``
    is the name of any other value. ``null`` is the meaning of null in snapshots and plans, as a sentence.
    ``requestable`` are the choices allowed in a configuration, if not all. ``written`` is false for what rolecall knows
    and the org does not store, ``updated`` for what only an action of the org changes. Bounds are the org's: characters
    of a text, entries of a set. ``decides_access``: what users can do depends on it. ``examples`` are for schemas.

    ``name``, ``choices``, ``nullable``, and ``type`` if it is not declared, come from the annotation.
    """

    title: str
    description: str
    label: str = ""
    question: str | None = None
    initial: Any = None
    hint: str = ""
    words: tuple[tuple[str, str], ...] = ()
    custom: str = ""
    null: str = ""
    requestable: tuple[str, ...] = ()
    examples: tuple[Any, ...] = ()
    max_length: int = 200
    min_length: int = 0
    max_items: int = 0
    min_items: int = 0
    decides_access: bool = False
    written: bool = True
    updated: bool = True
    type: FieldType = "text"
    name: str = ""
    choices: tuple[str, ...] = ()
    nullable: bool = False

    def shown(self, value: str) -> str:
        """Return what WRITER's console calls a value: ``Okta``, ``Other IdP (onelogin)``, or the value itself."""
        names = dict(self.words)
        if value in names or not self.custom:
            return names.get(value, value)
        return f"{names[self.custom]} ({value})"

    def entered(self, text: str) -> str:
        """Return the value that a text means: ``Okta`` is okta and ``Entra`` is entra, in any case; else the text."""
        values = {name.casefold(): value for value, name in self.words}
        values |= {value.casefold(): value for value, _ in self.words}
        return values.get(text.strip().casefold(), text)

    @property
    def is_set(self) -> bool:
        """Return whether the value is a set, which is a sorted list in JSON."""
        return self.type == "teams"


class Kind(NamedTuple):
    """One kind of setting: a section of every configuration, plan, snapshot and org.

    ``title`` and ``description`` are for schemas, docs and exported configurations, ``needs`` lists other requirements.
    ``label`` is its name on pages and in questions, ``tab`` is its tab in WRITER's console. ``noun`` is one entry of a
    section with entries, and ``key`` normalizes their names; a section without them is a singleton. ``whole``: a value
    is compared and written as one; otherwise field by field, ignoring UNSET fields. ``removal`` is what removing an
    entry means.

    Changes are written in the order of ``write_rank`` and take effect in that of ``effect_rank``. ``actions`` are what
    a caller may be able to do, ``changed_by`` are the org-level roles that may (R34), ``feature`` is what the plan tier
    must include. ``decides_access``: what users can do depends on it; ``decides_sign_in``: who can sign in does.
    ``includable``: an included file may have it. ``verbs`` are the verbs of the actions in a runbook.

    ``side`` is who has the setting: the org, or the IdP, which the org's API, snapshots and console do not have.
    ``config`` is where a configuration has it, if not under the name of its section.

    ``section``, ``type`` and ``fields`` come from the annotation.
    """

    title: str
    description: str
    label: str
    tab: str
    api_path: str
    write_rank: int
    effect_rank: int
    needs: str = ""
    noun: str = ""
    key: Callable[[str], str] | None = None
    whole: bool = False
    removal: Literal["delete", "unmap"] | None = None
    actions: tuple[str, ...] = ("update",)
    changed_by: tuple[str, ...] = (ORG_ADMIN,)
    feature: str | None = None
    decides_access: bool = False
    decides_sign_in: bool = False
    includable: bool = True
    verbs: tuple[tuple[str, str], ...] = ()
    examples: tuple[Any, ...] = ()
    side: Literal["org", "idp"] = "org"
    config: tuple[str, ...] = ()
    section: str = ""
    type: Any = None
    fields: tuple[Field, ...] = ()

    @property
    def keyed(self) -> bool:
        """Return whether the section is a map of entries instead of a singleton."""
        return self.key is not None

    @property
    def path(self) -> tuple[str, ...]:
        """Return where a configuration has it: ``("sso",)``, ``("idp", "assignments")``."""
        return self.config or (self.section,)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Return the actions by their names in the contract, such as ``domains.create``."""
        return tuple(f"{self.section}.{action}" for action in self.actions)

    def field(self, name: str) -> Field:
        """Return a field by its name. Raises StopIteration for a field that the kind does not have."""
        return next(field for field in self.fields if field.name == name)
