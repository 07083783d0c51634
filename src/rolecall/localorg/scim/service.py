"""The protocol of scim2-server, with the requirements of this org and what IdPs send."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, reduce
from operator import or_
from typing import Any, TypeVar

from pydantic import ValidationError
from scim2_models import (
    BaseModel,
    BulkRequest,
    Context,
    Error,
    InvalidValueException,
    PatchOp,
    PayloadTooLargeException,
    Resource,
    ResourceType,
    SCIMException,
    ScimProvider,
    SearchRequest,
)
from scim2_server.bulk import BulkPlan
from scim2_server.errors import UnsupportedMediaTypeException
from scim2_server.requests import ScimRequest
from scim2_server.routing import Target, match
from scim2_server.service import ScimService
from scim2_server.utils import parametrize

from rolecall.localorg.scim import inbound, members
from rolecall.localorg.scim.models import GROUP, MAX_BODY, MAX_BULK_OPERATIONS, USER

PATCH_OP = str(PatchOp.__schema__)
BULK_REQUEST = str(BulkRequest.__schema__)

Document = TypeVar("Document", bound=BaseModel)


_match = lru_cache(maxsize=1024)(match)


class OrgService(ScimService):
    """The steps of a request that do not use the database."""

    def __init__(self, provider: ScimProvider, role_attribute: str, secret: str) -> None:
        super().__init__(provider, secret=secret)
        self.quirks = inbound.UserQuirks(role_attribute)

    @staticmethod
    def match(request: ScimRequest) -> Target:
        """Return the target of a request; called several times for each, with the same result for most."""
        return _match(request.method.upper(), request.path)

    def max_body_size(self, request: ScimRequest) -> int | None:
        """Return the largest body that is read for a request, in bytes."""
        limit = super().max_body_size(request)
        return MAX_BODY if limit is None else limit

    def read_resource(
        self,
        resource_type: ResourceType,
        payload: dict[str, Any],
        context: Context,
        stored: Mapping[str, Any] | None = None,
    ) -> tuple[Resource[Any], tuple[str, ...]]:
        """Return a whole resource from a payload, and the ids of a group's members, which never become models.

        ``stored`` is the document that a PUT replaces.
        """
        model = self.get_model(resource_type)
        inbound.require_schemas(payload, str(resource_type.schema_))
        if resource_type.name == "User":
            return self.validated(model, self.quirks.resource(payload, stored), context), ()
        member_ids = members.take(payload)
        return self.validated(model, payload, context), member_ids

    def read_operations(
        self, resource_type: ResourceType, payload: dict[str, Any]
    ) -> tuple[PatchOp[Any] | None, list[members.MemberOp]]:
        """Return a PATCH from a payload: the part that the library applies, and the part for the join table."""
        inbound.require_schemas(payload, PATCH_OP)
        return self.split_operations(resource_type, inbound.operations_of(payload))

    def split_operations(
        self, resource_type: ResourceType, operations: list[Any]
    ) -> tuple[PatchOp[Any] | None, list[members.MemberOp]]:
        """Return the operations as a patch without members, None when there are no others, and those on members."""
        ours: list[members.MemberOp] = []
        if resource_type.name == "User":
            remaining = list(self.quirks.operations(operations))
        else:
            ours, remaining = members.split(operations)
        if not remaining:
            return None, ours
        model: Any = self.get_model(resource_type)
        payload = {"schemas": [PATCH_OP], "Operations": remaining}
        patch: PatchOp[Any] = self.validated(parametrize(PatchOp, model), payload, Context.RESOURCE_PATCH_REQUEST)
        for operation in patch.operations or ():
            if operation.path:
                inbound.refuse_unknown_path(model, str(operation.path))
        return patch, ours

    def read_search(self, resource_types: list[ResourceType], payload: Any) -> tuple[SearchRequest[Any], Any]:
        """Return a search, checked against the schemas, and the position that its cursor stands for."""
        return super().read_search(resource_types, inbound.by_email(payload))

    def validated(self, model: type[Document], payload: Any, context: Context) -> Document:
        """Return a payload as its model. Raises the SCIM exception of its first fault."""
        try:
            return model.model_validate(payload, scim_ctx=context)
        except ValidationError as error:
            raise SCIMException.from_error(Error.from_validation_errors(error)[0]) from error
        except RecursionError as error:
            raise InvalidValueException(detail="The body is nested too deeply") from error

    def sealed(
        self, resource_types: list[ResourceType], request: SearchRequest[Any], position: dict[str, Any] | None
    ) -> str | None:
        """Return the cursor of a position."""
        return self._seal(resource_types, request, position)

    def payload(self, request: ScimRequest) -> dict[str, Any]:
        """Return the JSON object of a request's body. Raises the SCIM exception of 400, 413 or 415."""
        limit = self.max_body_size(request)
        if limit is not None and len(request.body) > limit:
            raise PayloadTooLargeException(detail=f"The body is larger than {limit} bytes")
        if (request.header("Content-Encoding") or "identity").strip().lower() != "identity":
            raise UnsupportedMediaTypeException(
                detail="Compressed bodies are not supported; send the body uncompressed"
            )
        self.ensure_json(request.header("Content-Type"))
        return inbound.decode(request.body)

    def bulk_plan(self, payload: dict[str, Any]) -> BulkPlan:
        """Return the operations of a Bulk request, each in the shape of the schemas. Raises
        PayloadTooLargeException."""
        inbound.require_schemas(payload, BULK_REQUEST)
        operations = inbound.operations_of(payload)
        if len(operations) > MAX_BULK_OPERATIONS:
            raise PayloadTooLargeException(detail=f"a Bulk request may hold {MAX_BULK_OPERATIONS} operations at most")
        cleaned = {**payload, "Operations": [self._bulk_operation(operation) for operation in operations]}
        message: Any = parametrize(BulkRequest, reduce(or_, self.get_models()))
        read = self.validated(message, cleaned, Context.BULK_REQUEST)
        return BulkPlan(read.operations or [], read.fail_on_errors)

    def _bulk_operation(self, operation: Any) -> Any:
        if not isinstance(operation, dict):
            return operation
        keys = {key.lower(): key for key in operation}
        data = operation.get(keys.get("data", ""))
        path = str(operation.get(keys.get("path", ""), "")).strip("/")
        if not isinstance(data, dict):
            return operation
        patching = str(operation.get(keys.get("method", ""))).upper() == "PATCH"
        users = path.partition("/")[0].lower() == "users"
        inbound.require_schemas(data, PATCH_OP if patching else USER if users else GROUP)
        if not users:
            return operation
        return {**operation, keys["data"]: self._bulk_patch(data) if patching else self.quirks.resource(data)}

    def _bulk_patch(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"schemas": [PATCH_OP], "Operations": list(self.quirks.operations(inbound.operations_of(data)))}
