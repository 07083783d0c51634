"""Serves the SCIM operations from stored documents: models are built only to validate and to apply changes."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from scim2_models import Context, PatchOp, Resource, ResourceType, SearchRequest
from scim2_server.bulk import BulkPlan
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation

from rolecall.localorg.scim import groups, members, people
from rolecall.localorg.scim.documents import EVERYTHING, Projection, Stored, dump_all, shown
from rolecall.localorg.scim.models import GROUP, USER
from rolecall.localorg.scim.search import SearchResult
from rolecall.localorg.scim.service import OrgService
from rolecall.localorg.scim.storage import SqlStorage

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


class OrgHandler(ScimHandler):
    """One request inside one transaction."""

    service: OrgService
    storage: SqlStorage

    def __init__(self, service: OrgService, storage: SqlStorage) -> None:
        super().__init__(service, storage)

    def create(self, request: ScimRequest) -> ScimResponse:
        """Create a resource (RFC 7644 §3.3)."""
        with self.service.provider:
            resource_type, _ = self._target(request, Operation.create)
            payload = self.service.payload(request)
            resource, ids = self.service.read_resource(resource_type, payload, Context.RESOURCE_CREATION_REQUEST)
            stored = self.storage.add(resource_type, resource, ids)
            # A user of the first version was not there before, and so is in no group.
            projection = self._projection(request, resource_type)
            alone = stored.kind == "User" and stored.version == 1
            answer = self._resource(request, stored, projection, HTTPStatus.CREATED, alone=alone)
            answer.headers["Location"] = answer.headers["Content-Location"]
            return answer

    def query(self, request: ScimRequest) -> ScimResponse:
        """Return a resource (RFC 7644 §3.4.1)."""
        with self.service.provider:
            resource_type, resource_id = self._target(request, Operation.query)
            projection = self._projection(request, resource_type)
            stored = self.storage.read(resource_type, resource_id)
            if not self.service.read_conditions(request).check(stored.etag, "GET"):
                return ScimResponse(HTTPStatus.NOT_MODIFIED, None, {"ETag": stored.etag})
            return self._resource(request, stored, projection)

    def replace(self, request: ScimRequest) -> ScimResponse:
        """Replace a resource (RFC 7644 §3.5.1); extensions and ``active`` that the body lacks stay unchanged."""
        with self.service.provider:
            resource_type, resource_id = self._target(request, Operation.replace)
            projection = self._projection(request, resource_type)
            payload = self.service.payload(request)
            stored = self._checked(resource_type, resource_id, self.service.read_conditions(request), "PUT")
            resource, ids = self.service.read_resource(
                resource_type, payload, Context.RESOURCE_REPLACEMENT_REQUEST, stored.document
            )
            return self._resource(request, self._replace(resource_type, stored, resource, ids), projection)

    def patch(self, request: ScimRequest) -> ScimResponse:
        """Change a resource (RFC 7644 §3.5.2); always answers with the resource."""
        with self.service.provider:
            resource_type, resource_id = self._target(request, Operation.patch)
            projection = self._projection(request, resource_type)
            patch, ours = self.service.read_operations(resource_type, self.service.payload(request))
            stored = self._checked(resource_type, resource_id, self.service.read_conditions(request), "PATCH")
            return self._resource(request, self._patch(resource_type, stored, patch, ours), projection)

    def search(self, request: ScimRequest) -> ScimResponse:
        """Search by GET (RFC 7644 §3.4.2)."""
        with self.service.provider:
            types = self.service.searched_types(self.service.route(request, Operation.search).endpoint)
            return self._search(request, types, *self.service.read_search_query(types, request.query))

    def search_with_body(self, request: ScimRequest) -> ScimResponse:
        """Search by POST (RFC 7644 §3.4.3)."""
        with self.service.provider:
            types = self.service.searched_types(self.service.route(request, Operation.search_with_body).endpoint)
            return self._search(request, types, *self.service.read_search(types, self.service.payload(request)))

    def replace_resource(
        self, resource_type: ResourceType, current: Resource[Any], replacement: Resource[Any], conditions: Conditions
    ) -> Resource[Any]:
        """Apply a PUT in a Bulk request."""
        stored = self._checked(resource_type, str(current.id), conditions, "PUT")
        ids = tuple(members.ids_of(members.entries(replacement)))
        return self.storage.whole(resource_type, self._replace(resource_type, stored, replacement, ids))

    def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: PatchOp[Any], conditions: Conditions
    ) -> Resource[Any]:
        """Apply a PATCH in a Bulk request."""
        operations = [
            operation.model_dump(by_alias=True, exclude_unset=True) for operation in patch_op.operations or ()
        ]
        patch, ours = self.service.split_operations(resource_type, operations)
        stored = self._checked(resource_type, resource_id, conditions, "PATCH")
        return self.storage.whole(resource_type, self._patch(resource_type, stored, patch, ours))

    def _target(self, request: ScimRequest, operation: Operation) -> tuple[ResourceType, str]:
        target = self.service.route(request, operation)
        return self.service.resource_type_at(str(target.endpoint)), str(target.resource_id)

    def _projection(self, request: ScimRequest, resource_type: ResourceType) -> Projection:
        if not request.query:
            return EVERYTHING
        return Projection.of(self.service.read_response_parameters(resource_type, request.query))

    def _checked(self, resource_type: ResourceType, resource_id: str, conditions: Conditions, method: str) -> Stored:
        stored = self.storage.read(resource_type, resource_id)
        conditions.check(stored.etag, method)
        return stored

    def _replace(
        self, resource_type: ResourceType, stored: Stored, resource: Resource[Any], ids: Sequence[str]
    ) -> Stored:
        session, current = self.storage.session, self.storage.bare(resource_type, stored)
        if resource_type.name == "User":
            people.carry_over(current, resource)
            return people.update_user(session, resource) if resource.replace(current) else stored
        changed = groups.without_members(resource).replace(current)
        delta = members.replace(session, stored.id, ids)
        return groups.update_group(session, resource if changed else None, stored, delta)

    def _patch(
        self,
        resource_type: ResourceType,
        stored: Stored,
        patch: PatchOp[Any] | None,
        ours: Sequence[members.MemberOp],
    ) -> Stored:
        session, changed = self.storage.session, None
        if patch is not None:
            current = self.storage.bare(resource_type, stored)
            changed = current if patch.patch(current) else None
        if resource_type.name == "User":
            return stored if changed is None else people.update_user(session, changed)
        return groups.update_group(session, changed, stored, members.apply(session, stored.id, ours))

    def _resource(
        self,
        request: ScimRequest,
        stored: Stored,
        projection: Projection,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        alone: bool = False,
    ) -> ScimResponse:
        (body,) = self._shown(request, [stored], projection, alone=alone)
        location = f"{request.base_url}/{stored.endpoint}/{stored.id}"
        return ScimResponse(status, body, {"Content-Location": location, "ETag": stored.etag})

    def _shown(
        self, request: ScimRequest, page: Sequence[Stored], projection: Projection, *, alone: bool = False
    ) -> list[dict[str, Any]]:
        schemas = {"User": USER, "Group": GROUP}
        extras = {} if alone else self.storage.extras(request.base_url, page, projection)
        return [
            projection.apply(schemas[stored.kind], shown(stored, request.base_url, extras.get(stored.id, {})))
            for stored in page
        ]

    def _search(
        self, request: ScimRequest, types: list[ResourceType], search: SearchRequest[Any], position: Any
    ) -> ScimResponse:
        result: SearchResult = self.storage.find(types, search, position)
        resources = self._shown(request, result.page, Projection.of(search))
        body: dict[str, Any] = {
            "schemas": [LIST_RESPONSE],
            "totalResults": result.total,
            "itemsPerPage": len(resources),
        }
        if search.cursor is None:
            body["startIndex"] = search.start_index
        for name, at in (("nextCursor", result.next), ("previousCursor", result.previous)):
            if at is not None:
                body[name] = self.service.sealed(types, search, at)
        return ScimResponse(HTTPStatus.OK, {**body, "Resources": dump_all(resources)})

    def bulk(self, request: ScimRequest) -> ScimResponse:
        """Run the operations of a Bulk request (RFC 7644 §3.7)."""
        with self.service.provider:
            self.service.route(request, Operation.bulk)
            plan: BulkPlan = self.service.bulk_plan(self.service.payload(request))
            for step in plan:
                result, resource = self.run_bulk_step(request, plan, step)
                plan.record(step, result, resource)
            return self.service.bulk_response(plan)
