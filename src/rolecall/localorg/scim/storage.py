"""The storage interface of scim2-server, over this org's database; the library's contract suite tests it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

from scim2_models import Resource, ResourceType, ResponseParameters, ScimProvider, SearchRequest
from scim2_server.storage import ScimStorage, SearchPage

from rolecall.localorg.scim import groups, members, people
from rolecall.localorg.scim.documents import EVERYTHING, JsonText, Projection, Stored, group_entries, member_entries
from rolecall.localorg.scim.models import GROUP, USER
from rolecall.localorg.scim.search import SearchResult, search
from rolecall.localorg.scim.shapes import ScimSession

Model = type[Resource[Any]]


class SqlStorage(ScimStorage):
    """Users and groups of one transaction, as stored documents and, where the library asks, as models."""

    supports_cursors = True

    def __init__(self, session: ScimSession, provider: ScimProvider) -> None:
        self.session = session
        self.provider = provider

    def model(self, resource_type: ResourceType) -> Model:
        return cast(Model, self.provider.model_for(resource_type))

    def read(self, resource_type: ResourceType, resource_id: str) -> Stored:
        """Return one stored document. Raises NotFoundException."""
        read = people.read_user if resource_type.name == "User" else groups.read_group
        return read(self.session, resource_id)

    def find(self, resource_types: Sequence[ResourceType], request: SearchRequest[Any], position: Any) -> SearchResult:
        """Return a page of stored documents."""
        models = {str(resource_type.name): self.model(resource_type) for resource_type in resource_types}
        return search(self.session, models, request, position)

    def add(self, resource_type: ResourceType, resource: Resource[Any], member_ids: Sequence[str]) -> Stored:
        """Store a new resource; a group's members are passed separately."""
        if resource_type.name == "User":
            return people.create_user(self.session, resource)
        return groups.create_group(self.session, resource, member_ids)

    def extras(self, base_url: str, stored: Sequence[Stored], projection: Projection) -> dict[str, dict[str, Any]]:
        """Return what the join table adds to some resources, by id: ``groups`` or ``members``, omitted where empty."""
        users = (
            [resource.id for resource in stored if resource.kind == "User"] if projection.keeps(USER, "groups") else []
        )
        extras: dict[str, dict[str, Any]] = {}
        for user_id, user_groups in people.groups_of(self.session, users).items() if users else ():
            extras[user_id] = {"groups": group_entries(base_url, user_groups)} if user_groups else {}
        for resource in stored if projection.keeps(GROUP, "members") else ():
            if resource.kind == "Group":
                listed = member_entries(base_url, members.members_of(self.session, resource.id), projection)
                extras[resource.id] = {} if listed is None else {"members": listed}
        return extras

    def bare(self, resource_type: ResourceType, stored: Stored) -> Resource[Any]:
        """Return a stored document as a model, without what the join table adds."""
        return self.model(resource_type).model_validate({**stored.document, "id": stored.id})

    def whole(self, resource_type: ResourceType, stored: Stored, projection: Projection = EVERYTHING) -> Resource[Any]:
        """Return a stored document as a model with what the projection shows, its references relative to the root."""
        meta = {
            "resourceType": stored.kind,
            "created": stored.created,
            "lastModified": stored.modified,
            "version": stored.etag,
        }
        extra = self.extras("", [stored], projection).get(stored.id, {})
        for name, entries in extra.items():
            extra[name] = json.loads(entries) if isinstance(entries, JsonText) else entries
            for entry in extra[name]:
                entry.update({key: value.lstrip("/") for key, value in entry.items() if key == "$ref"})
        return self.model(resource_type).model_validate({**stored.document, **extra, "id": stored.id, "meta": meta})

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Return a resource with the requested attributes, as ``read`` finds it."""
        projection = Projection.of(response_parameters)
        return self.whole(resource_type, self.read(resource_type, resource_id), projection)

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        result = self.find(resource_types, search_request, position)
        by_name = {str(resource_type.name): resource_type for resource_type in resource_types}
        page = [self.whole(by_name[stored.kind], stored) for stored in result.page]
        return SearchPage(result.total, page, result.next, result.previous)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        copy = resource.model_copy(deep=True)
        return self.whole(resource_type, self.add(resource_type, copy, _member_ids(copy)))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Replace a user or a group, with its members. Raises if it has another version than the expected one."""
        changed = resource.model_copy(deep=True)
        old = self.read(resource_type, str(resource.id))
        if resource_type.name == "User":
            stored = people.update_user(self.session, changed, expected_version)
        else:
            groups.check_version(old, expected_version)
            delta = members.replace(self.session, old.id, _member_ids(changed))
            stored = groups.update_group(self.session, changed, old, delta)
        return self.whole(resource_type, stored)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        remove = people.delete_user if resource_type.name == "User" else groups.delete_group
        remove(self.session, resource_id, expected_version)

    def operation(self) -> AbstractContextManager[Any]:
        """Return a savepoint, so that a failed operation of a Bulk request changes nothing."""
        return self.session.tx.begin_nested()


def _member_ids(resource: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(members.ids_of(members.entries(resource))))
