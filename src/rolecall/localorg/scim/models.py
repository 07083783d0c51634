"""The SCIM service: its resource types, its announced features, and its tolerance."""

from __future__ import annotations

import unicodedata
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, Final, cast

from pydantic import Field, create_model
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    BulkRequest,
    BulkResponse,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Mutability,
    Pagination,
    Patch,
    PatchOp,
    PatchOperation,
    Path,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimFilter,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
)
from scim2_models import User as CoreUser
from scim2_server.utils import parametrize

from rolecall.localorg.store.keys import lower

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WRITER: Final = "urn:custom:params:scim:schemas:extension:writer:2.0"
WRITER_USER: Final = "urn:custom:params:scim:schemas:extension:writer:2.0:User"

ROLE_EXTENSION: Final = "WriterRole"
"""The field of a user that holds the extension with the role attribute (R18), under the URN that ends in User."""
ROLE_FIELD: Final = "held_role"
"""The Python name of the role attribute, independent of its name in the org."""

MAX_BODY: Final = 16 * 1024 * 1024
"""The largest request body, in bytes: a PUT of a group of 100,000 members fits."""
MAX_BULK_BODY: Final = 4 * 1024 * 1024
MAX_BULK_OPERATIONS: Final = 1000
MAX_PAGE: Final = 500
DEFAULT_PAGE: Final = 100


class Manager(ComplexAttribute):
    """The manager of a user. Only ``value`` is required: Microsoft sends no ``$ref``, and often a plain string."""

    value: Annotated[str | None, CaseExact.true] = None
    ref: Reference[CoreUser[Any]] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")
    display_name: Annotated[str | None, Mutability.read_only] = None


class EnterpriseUser(Extension):
    """RFC 7643 §4.3."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    cost_center: str | None = None
    organization: str | None = None
    division: str | None = None
    department: str | None = None
    manager: Manager | None = None


class Email(ComplexAttribute):
    """An email address as the IdP has it: internal domains such as ``corp.local`` are real there."""

    value: str | None = None
    display: str | None = None
    type: str | None = Field(None, examples=["work", "home", "other"])
    primary: bool | None = None


class Member(ComplexAttribute):
    """A direct member of a group: always a user (R29). ``display`` is accepted and not stored."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[CoreUser[Any]] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    display: Annotated[str | None, Mutability.read_only] = None


class Group(Resource[Any]):
    """A group that the IdP pushes. Its members are in the join table, never in its document."""

    __schema__ = URN(GROUP)

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


def comparable(text: str) -> str:
    """Return text as strings compare without case: NFC and lower case. Letters are not folded: ß is not ss."""
    if text.isascii():
        return text.lower()
    return lower(text)


def exact(text: str) -> str:
    """Return the form in which case-exact strings are compared: NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


POLICY: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""Microsoft Entra's needs: drop unknown attributes, remove by value, create entries that a filter does not find."""

CONFIG: Final = ServiceProviderConfig(
    documentation_uri=None,
    patch=Patch(supported=True),
    bulk=Bulk(supported=True, max_operations=MAX_BULK_OPERATIONS, max_payload_size=MAX_BULK_BODY),
    filter=Filter(supported=True, max_results=MAX_PAGE),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    pagination=Pagination(
        cursor=True,
        index=True,
        default_pagination_method=Pagination.DefaultPaginationMethod.index,
        default_page_size=DEFAULT_PAGE,
        max_page_size=MAX_PAGE,
        cursor_timeout=3600,
    ),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="The SCIM token of this org",
            primary=True,
        )
    ],
)


def provider(role_attribute: str = "role") -> ScimProvider:
    """Return the service, with the role attribute of R18 under the name that this org reads."""
    return _described(role_attribute)[0]


@lru_cache(maxsize=16)
def _described(role_attribute: str) -> tuple[ScimProvider, list[Any]]:
    """Return the service, and what must live as long as it.

    scim2-models stores the classes of ``ScimFilter[User]`` and the like in a weak dictionary, where one may be
    collected between lookup and use: a KeyError under threads. References to them here prevent that.
    """
    user = cast(type[Resource[Any]], create_model("User", __base__=CoreUser, emails=(list[Email] | None, None)))
    writer = _role_extension(role_attribute)
    users = ResourceType.from_resource(cast(Any, user)[EnterpriseUser | writer])
    groups = ResourceType.from_resource(Group)
    service = ScimProvider(
        models=[user, EnterpriseUser, writer, Group],
        resource_types=[users, groups],
        config=CONFIG,
        policy=POLICY,
    )
    kinds: list[Any] = [service.model_for(users), service.model_for(groups)]
    either = reduce(or_, kinds)
    pinned = [parametrize(generic, kind) for generic in _BOUND for kind in (*kinds, either)]
    pinned += [parametrize(generic, kind) for generic in (PatchOperation, PatchOp) for kind in kinds]
    return service, pinned + [parametrize(generic, either) for generic in (BulkRequest, BulkResponse)]


_BOUND: Final[tuple[Any, ...]] = (Path, ScimFilter, ResponseParameters, SearchRequest)


def _role_extension(attribute: str) -> Any:
    base = type(ROLE_EXTENSION, (Extension,), {"__schema__": URN(WRITER_USER), "__module__": __name__})
    field = Field(None, serialization_alias=attribute, validation_alias=attribute)
    fields: dict[str, Any] = {ROLE_FIELD: (str | None, field)}
    return create_model(ROLE_EXTENSION, __base__=base, **fields)
