"""Defines the settings of an org. Desired, live, last applied and after-state are all this one type.

Fields and kinds are declared here once, with everything known about them. All else follows from the table in
``model.kinds``; CONTRIBUTING.md describes how to add a field or a kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final, Literal, NamedTuple, NewType, TypeAlias

from rolecall.model import normalise
from rolecall.model.fields import Field, Kind
from rolecall.model.roles import DOMAIN_ACCESS


class Unset(Enum):
    """No value: not managed (desired) or not read (live). Not the same as null or empty."""

    UNSET = 0

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET

Section: TypeAlias = str
"""The name of a kind: that of its attribute in ``Settings``."""
Join = Literal["immediate", "approval"]
Endpoint = Literal["legacy", "upgrading", "new"]

Address = NewType("Address", str)
"""``defaults``, ``sso``, ``scim``, ``domains/acme.com``, ``idp_groups/Writer-Admins``."""

_ROLE = Field("Role", "A role ID.", type="role", decides_access=True, min_length=1, max_length=100)
_MAPPED_ROLE = _ROLE._replace(
    null="Null if the mapping has teams only; they then have the role of default access (R31)."
)
_TEAMS = Field("Teams", "All teams, by name.", initial=frozenset(), decides_access=True, max_items=1000)
_IDP = Field(
    "Identity provider",
    "okta, entra, or the name of another IdP.",
    question="Identity provider: okta, entra or another",
    initial="other",
    words=(("okta", "Okta"), ("entra", "Microsoft Entra ID"), ("other", "Other IdP")),
    custom="other",
    min_length=1,
    max_length=100,
    examples=("okta", "entra"),
)


@dataclass(frozen=True, slots=True)
class Domain:
    """A claimed email domain; its name is its key."""

    discoverable: Annotated[
        bool | Unset,
        Field(
            "Users who sign up with this domain can find the org",
            "`join` decides how they join.",
            label="Domain discoverability",
            question="can users who sign up with it find the org",
            initial=False,
        ),
    ] = UNSET
    join: Annotated[
        Join | Unset,
        Field(
            "How users join",
            "immediate: without approval, with default access. approval: after an admin approves.",
            label="How users join",
            question="do they join immediately or after approval",
            initial="approval",
            words=(("immediate", "Immediately"), ("approval", "After approval")),
        ),
    ] = UNSET


@dataclass(frozen=True, slots=True)
class Defaults:
    """The org-wide default of R2: one role id and at least one team name."""

    role: Annotated[
        str | Unset,
        _ROLE._replace(
            description="member or team_admin, never org_admin (R3).",
            label="Default role",
            question="Default role",
            initial="member",
        ),
    ] = UNSET
    teams: Annotated[
        frozenset[str] | Unset,
        _TEAMS._replace(
            description="All default teams, by name; at least one (R2).",
            label="Default teams",
            question="Default teams, separated by commas",
            initial=frozenset(("Everyone",)),
            min_items=1,
        ),
    ] = UNSET


@dataclass(frozen=True, slots=True)
class Sso:
    """SAML sign-on. ``metadata`` is the text of the IdP's metadata XML; None means that the org has none."""

    enabled: Annotated[
        bool | Unset,
        Field(
            "SAML sign-on",
            "If false, users sign in with a password.",
            label="SAML SSO",
            question="Is SSO on",
            initial=False,
            hint="Requires a claimed domain and the IdP's metadata. Cannot be off while SCIM is on.",
        ),
    ] = UNSET
    name: Annotated[
        str | Unset,
        Field(
            "Name",
            "Text on the button of the sign-in page.",
            question="Connection name",
            initial="",
            examples=("Okta",),
        ),
    ] = UNSET
    idp: Annotated[str | Unset, _IDP] = UNSET
    allow_uninvited: Annotated[
        bool | Unset,
        Field(
            "Uninvited users may create an account",
            "Through SAML SSO. They get default access (`defaults`, R26).",
            label="Allow uninvited users to create an account via SAML SSO",
            question="May uninvited users create an account through SSO",
            initial=False,
        ),
    ] = UNSET
    allow_passwords: Annotated[
        bool | Unset,
        Field(
            "Users may sign in with a password",
            "Allows sign-in when the IdP is down (R27).",
            label="Allow team members to create passwords and sign in without SSO",
            question="May users create passwords and sign in without SSO",
            initial=True,
        ),
    ] = UNSET
    metadata: Annotated[
        str | Unset | None,
        Field(
            "IdP metadata",
            "The IdP's SAML metadata. Required to turn on SSO for the first time (R33).",
            null="Null if the org has none.",
            type="document",
            examples=({"file": "okta.xml"},),
            min_length=1,
            max_length=500_000,
        ),
    ] = UNSET


@dataclass(frozen=True, slots=True)
class Scim:
    """SCIM settings. ``role_attribute`` is known to rolecall only (R18) and is never written."""

    enabled: Annotated[
        bool | Unset,
        Field(
            "SCIM provisioning",
            "Changing it changes the source of all users' access, so a plan reads all users (R33).",
            label="SCIM provisioning",
            question="Is SCIM on",
            initial=False,
            hint="Requires SSO.",
            decides_access=True,
        ),
    ] = UNSET
    idp: Annotated[str | Unset, _IDP] = UNSET
    endpoint: Annotated[
        Endpoint | Unset,
        Field(
            "Endpoint version",
            "The org's SCIM endpoint (R18 to R20). In a legacy org, `new` starts the upgrade, which cannot be undone.",
            label="Endpoint version",
            question="Endpoint: legacy (an upgrade is offered), upgrading or new",
            initial="new",
            words=(("legacy", "Legacy"), ("upgrading", "Upgrade started"), ("new", "New")),
            requestable=("legacy", "new"),
            decides_access=True,
            updated=False,
        ),
    ] = UNSET
    manual_editing: Annotated[
        bool | Unset,
        Field(
            "Manual editing",
            "Org admins may edit the access of SCIM users (R14 to R16). If false, earlier edits are kept but have no "
            "effect.",
            label="Editing users manually",
            question="Is manual editing on",
            initial=False,
            hint="Off: only the IdP sets the role and teams of SCIM users.",
            decides_access=True,
        ),
    ] = UNSET
    role_attribute: Annotated[
        str | Unset,
        Field(
            "Role attribute",
            "User attribute with the role (org admin or member) on the legacy endpoint (R18). Known to rolecall only; "
            "never written to the org.",
            initial="role",
            min_length=1,
            examples=("role",),
            written=False,
            updated=False,
        ),
    ] = UNSET


class GroupMapping(NamedTuple):
    """The mapping of one IdP group: one value, never merged with the live one. ``GroupMapping()`` is unmapped (R10).

    A NamedTuple, because there are thousands of them, and they must be quick to create and compare.
    """

    role: Annotated[str | None, _MAPPED_ROLE] = None
    teams: Annotated[frozenset[str], _TEAMS._replace(label="Team")] = frozenset()

    @property
    def blank(self) -> bool:
        return self.role is None and not self.teams


BLANK: Final = GroupMapping()

_IDP_GROUP = Field(
    "Group ID", "The IdP's ID of the group.", min_length=1, max_length=100, examples=("00g1emaKYZTWRYYRRTSK",)
)


@dataclass(frozen=True, slots=True)
class IdpAssignment:
    """A group that is assigned to the WRITER app in the IdP. Without an ID, the name of the group decides."""

    id: Annotated[str | Unset, _IDP_GROUP] = UNSET


@dataclass(frozen=True, slots=True)
class IdpPush:
    """A group that the IdP pushes to WRITER. Without an ID, the name of the group decides."""

    id: Annotated[str | Unset, _IDP_GROUP] = UNSET


Value = Domain | Defaults | Sso | Scim | GroupMapping | IdpAssignment | IdpPush


@dataclass(frozen=True, slots=True)
class Settings:
    """Every section of an org and of its IdP; a section without a value is UNSET. Map keys are normalized names."""

    domains: Annotated[
        Mapping[str, Domain] | Unset,
        Kind(
            "Claimed email domains",
            "Email domains that the org has claimed.",
            label="Domains",
            tab="Access",
            api_path="/v1/domains",
            write_rank=0,
            effect_rank=0,
            noun="domain",
            key=normalise.domain,
            removal="delete",
            decides_sign_in=True,
            actions=("create", "update", "delete"),
            changed_by=DOMAIN_ACCESS,
            verbs=(("create", "Claim the domain"), ("update", "Change the domain"), ("delete", "Give up the domain")),
            examples=({"acme.com": {"discoverable": True, "join": "approval"}},),
        ),
    ] = UNSET
    defaults: Annotated[
        Defaults | Unset,
        Kind(
            "Default access",
            "Access of users without a mapped group (R2, R7).",
            label="Default user permissions",
            tab="Access",
            api_path="/v1/access/defaults",
            write_rank=2,
            effect_rank=3,
            changed_by=DOMAIN_ACCESS,
            decides_access=True,
            examples=({"role": "member", "teams": ["Everyone"]},),
        ),
    ] = UNSET
    sso: Annotated[
        Sso | Unset,
        Kind(
            "SAML single sign-on",
            "Single sign-on.",
            needs="A claimed domain, and metadata when it is turned on for the first time (R33).",
            label="SSO",
            tab="SSO",
            api_path="/v1/access/sso",
            write_rank=1,
            effect_rank=1,
            decides_sign_in=True,
            examples=({"enabled": True, "name": "Okta", "idp": "okta", "metadata": {"file": "okta.xml"}},),
        ),
    ] = UNSET
    scim: Annotated[
        Scim | Unset,
        Kind(
            "SCIM provisioning",
            "Provisioning by the IdP.",
            needs="SSO, which requires a claimed domain.",
            label="SCIM",
            tab="SCIM",
            api_path="/v1/access/scim",
            write_rank=3,
            effect_rank=4,  # last: what users keep while it is off is the value just before (R33)
            actions=("update", "upgrade"),
            feature="scim",
            decides_access=True,
            examples=({"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},),
        ),
    ] = UNSET
    idp_groups: Annotated[
        Mapping[str, GroupMapping] | Unset,
        Kind(
            "IdP group mappings",
            "Groups that the IdP pushes, with their role and teams. A group with `blank` is unmapped: its users may "
            "still have default access.",
            label="IdP groups",
            tab="IdP groups",
            api_path="/v1/idp-groups",
            write_rank=4,
            effect_rank=2,
            noun="group",
            key=normalise.name,
            whole=True,
            removal="unmap",
            feature="scim",
            decides_access=True,
            verbs=(("create", "Map the group"), ("update", "Change the mapping of"), ("delete", "Unmap the group")),
            examples=({"Writer-Marketing": {"role": "member", "teams": ["Marketing"]}, "All-Staff": "blank"},),
        ),
    ] = UNSET
    idp_assignments: Annotated[
        Mapping[str, IdpAssignment] | Unset,
        Kind(
            "Groups assigned to the app in the IdP",
            "Groups whose members have the WRITER app, so that the IdP provisions them.",
            label="Assignments",
            tab="Assignments",
            api_path="",
            write_rank=5,
            effect_rank=5,
            noun="assigned group",
            key=normalise.name,
            removal="delete",
            actions=("create", "delete"),
            includable=False,
            verbs=(("create", "Assign the group"), ("delete", "Remove the assignment of")),
            examples=(["WRITER-Everyone", {"name": "Writer-Legal", "id": "00g1emaKYZTWRYYRRTSK"}],),
            side="idp",
            config=("idp", "assignments"),
        ),
    ] = UNSET
    idp_pushes: Annotated[
        Mapping[str, IdpPush] | Unset,
        Kind(
            "Groups pushed by the IdP",
            "Groups that the IdP pushes to WRITER, with their members who have the app.",
            label="Push groups",
            tab="Push Groups",
            api_path="",
            write_rank=6,
            effect_rank=6,
            noun="pushed group",
            key=normalise.name,
            removal="delete",
            actions=("create", "delete"),
            includable=False,
            verbs=(("create", "Push the group"), ("delete", "Stop pushing the group")),
            examples=("idp_groups",),
            side="idp",
            config=("idp", "pushes"),
        ),
    ] = UNSET
