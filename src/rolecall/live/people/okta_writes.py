"""Writes to the WRITER app in Okta: which groups are assigned to it, and which are pushed.

Each change is compared with the whole item right before it is written, and read back afterwards; that also resolves
writes whose response was lost. Reads use the credential for reading, and only writes use the one for writing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from rolecall.errors import OrgError, Problem
from rolecall.live.http.exchange import Exchanged, may_be_done, no_response
from rolecall.live.http.refusals import EndpointMessages, refusal
from rolecall.live.http.transport import Request
from rolecall.live.people.idp_client import IdpClient
from rolecall.live.people.okta_items import LISTS, OFF, OktaItem, id_of, item_of, same_item
from rolecall.live.people.okta_records import source_app
from rolecall.model import normalise
from rolecall.model.change import Action, Change
from rolecall.model.kinds import split_address
from rolecall.model.outcome import Done, Moved, Outcome, Refused, Unknown
from rolecall.model.settings import Section, Value

Json = Any
Reached = Callable[[OktaItem | None], bool]
"""Returns whether Okta has what a write asked for."""
CAN: Final = frozenset(f"{section}.{action}" for section in LISTS for action in ("create", "delete"))
"""The changes that rolecall can write, as in ``IdpSide.can``."""
PUSHED: Final[Mapping[str, str]] = {"create": "ACTIVE", "delete": OFF}
_RESOLVE = "to find out whether the write took effect: rolecall apply"
HALF = "Okta no longer pushes the group, but still has its inactive mapping"


class OktaWriter:
    """Writes changes of assignments and pushed groups, see ``port.IdpWriter``. ``app`` is the app's id, quoted.

    ``reads`` sends the reads, ``writes`` nothing but writes; each has its own credential. ``messages`` are the texts
    for the credential that writes.
    """

    def __init__(self, reads: IdpClient, writes: IdpClient, app: str, messages: EndpointMessages) -> None:
        self._reads = reads
        self._writes = writes
        self._app = app
        self._path = f"/api/v1/apps/{app}"
        self._messages = messages

    async def write(self, change: Change, version: str | None) -> Outcome:
        """Send one change, if Okta still has the item that ``version`` is."""
        try:
            section, group = _place(change)
            item = await self._item(section, group)
            if change.after is not None:
                if item is not None and not item.off:
                    return Moved(change.after, item.version)
                return await self._add(change, section, group, item)
            if item is None:
                return Moved(None, None)
            if version is None or not same_item(section, version, item.version):
                return Moved(change.before, item.version)
            return await self._remove(section, group, item)
        except OrgError as error:
            return Refused(error.problems[0])

    async def finish(self, change: Change, version: str | None) -> Outcome:
        """Delete the mapping that the end of a push left inactive. Nothing is sent if there is none, or another one."""
        section, group = _place(change)
        try:
            item = await self._item(section, group)
        except OrgError as error:
            return Unknown(error.problems[0])
        if item is not None and not item.off:
            return Moved(change.before, item.version)
        if item is None or (version is not None and id_of(version) != item.id):
            return Done(None, None)
        if version is None:
            hint = "delete the inactive mapping in Okta's console"
            return Unknown(Problem("idp_half", f"{HALF}; the journal does not have the ID of the mapping", None, hint))
        return await self._delete_mapping(group, item)

    async def close(self) -> None:
        """Release the connections for writing."""
        await self._writes.close()

    async def _add(self, change: Change, section: Section, group: str, item: OktaItem | None) -> Outcome:
        def reached(item: OktaItem | None) -> bool:
            return item is not None and not item.off

        value = change.after
        if section == "idp_assignments":
            path = f"{self._path}/groups/{quote(group, safe='')}"
            return await self._send(section, group, ("PUT", path, {}), reached, value)
        name = (split_address(change.address)[1] or "").removesuffix(f" [{group}]")
        target = await self._reads.whole(self._find_target(group, name, item))
        if item is not None:
            return await self._send(section, group, self._status(item, "create"), reached, value)
        body = {"sourceGroupId": group, **target, "status": PUSHED["create"]}
        path = f"{self._path}/group-push/mappings"
        return await self._send(section, group, ("POST", path, body), reached, value)

    async def _remove(self, section: Section, group: str, item: OktaItem) -> Outcome:
        if section == "idp_assignments":
            path = f"{self._path}/groups/{quote(group, safe='')}"
            return await self._send(section, group, ("DELETE", path, None), lambda item: item is None, None)
        if not item.off:
            ended = await self._send(
                section, group, self._status(item, "delete"), lambda item: item is None or item.off, None
            )
            if not isinstance(ended, Done | Moved):
                return ended
        return await self._delete_mapping(group, item)

    async def _delete_mapping(self, group: str, item: OktaItem) -> Outcome:
        """Delete an inactive mapping, never its target. If that fails, the end of the push is incomplete."""
        path = f"{self._path}/group-push/mappings/{quote(item.id, safe='')}"
        ended = await self._send("idp_pushes", group, ("DELETE", path, None), lambda item: item is None, None)
        if isinstance(ended, Refused | Unknown):
            return Unknown(Problem("idp_half", f"{HALF}: {ended.problem.message}", None, "delete it: rolecall apply"))
        return ended

    def _status(self, item: OktaItem, action: Action) -> tuple[str, str, Json]:
        path = f"{self._path}/group-push/mappings/{quote(item.id, safe='')}"
        return "PATCH", path, {"status": PUSHED[action]}

    async def _send(
        self, section: Section, group: str, write: tuple[str, str, Json], reached: Reached, value: Value | None
    ) -> Outcome:
        """Send one request and return the outcome, which what Okta has afterwards decides."""
        method, path, body = write
        sent = await self._writes.write(method, path, body, repeatable=method != "POST")
        definite = _is_refusal(sent)
        problem = self._problem(Request(method, path), sent)
        try:
            item = await self._item(section, group)
        except OrgError as error:
            message = f"{problem.message}; {error.problems[0].message}"
            return Refused(problem) if definite else Unknown(Problem(problem.code, message, None, _RESOLVE))
        if reached(item):
            version = None if item is None else item.version
            return Moved(value, version) if definite else Done(value, version)
        return Refused(problem) if definite else Unknown(problem._replace(hint=_RESOLVE))

    def _problem(self, request: Request, sent: Exchanged) -> Problem:
        """Return why a write did not succeed; for an accepted one, that Okta does not show it."""
        if sent.answer is None:
            return sent.lost.problems[0] if sent.lost else no_response(self._messages.name, request)
        if sent.answer.ok:
            return Problem("okta_contract", f"Okta accepted {request}, and does not show its effect")
        problem = refusal(request, sent.answer, self._messages)
        reason = self._writes.reason(sent.answer)
        return problem._replace(message=f"{problem.message}: {reason}") if reason else problem

    async def _item(self, section: Section, group: str) -> OktaItem | None:
        """Return the item of a group, None if it has none. Raises OrgError unless the list was read to its end."""
        return await self._reads.whole(self._find(section, group))

    async def _find(self, section: Section, group: str) -> OktaItem | None:
        name, size = LISTS[section]
        path = f"{self._path}/{name}"
        only = (("sourceGroupId", group),) if section == "idp_pushes" else ()
        entries = self._reads.uncut(path, await self._reads.read_linked(path, *only, ("limit", size)))
        items = [item for item in (item_of(section, entry) for entry in entries) if item.group == group]
        return min(items, key=lambda item: item.off, default=None)

    async def _find_target(self, group: str, planned: str, item: OktaItem | None) -> dict[str, str]:
        """Return the target of a push: the app's group of that name, by its ID, or else a new group by its name.

        Raises OrgError if the group, or the target of an inactive mapping ``item``, does not have the planned name: its
        members would be in another group of WRITER than the plan says.
        """
        name = await self._group_name(group)
        if normalise.name(name) != planned:
            message = f"the group with id {group} has the name `{name}` in Okta, not `{planned}`"
            raise OrgError(Problem("group_renamed", message, None, f"correct the name: `{name}`, and make a new plan"))
        if item is not None:
            linked = await self._group_name(item.target)
            if normalise.name(linked) != planned:
                message = f"the inactive mapping of `{planned}` pushes it as `{linked}`"
                hint = "delete the mapping in Okta, or turn it on there"
                raise OrgError(Problem("group_renamed", message, None, hint))
            return {"targetGroupId": item.target}
        query = (("search", f"profile.name eq {json.dumps(name, ensure_ascii=False)}"), ("limit", "200"))
        path = "/api/v1/groups"
        matches = self._reads.uncut(path, await self._reads.read_linked(path, *query))
        same = [
            str(match["id"])
            for match in matches
            if source_app(match) == self._app and normalise.name(match["profile"]["name"]) == normalise.name(name)
        ]
        if len(same) > 1:
            message = f"the app has {len(same)} groups named `{name}` in Okta ({', '.join(sorted(same))})"
            hint = "push the group in Okta's console, where the target can be selected"
            raise OrgError(Problem("idp_two_groups", message, None, hint))
        return {"targetGroupId": same[0]} if same else {"targetGroupName": name}

    async def _group_name(self, group: str) -> str:
        answer = await self._reads.read_object(f"/api/v1/groups/{quote(group, safe='')}")
        return str(answer["profile"]["name"])


def _place(change: Change) -> tuple[Section, str]:
    """Return the section of a change, and the ID of its group. Raises OrgError if the ID is not known."""
    section, _ = split_address(change.address)
    group = getattr(change.after or change.before, "id", None)
    if not isinstance(group, str):
        raise OrgError(Problem("idp_no_group", f"the ID of the group of {change.address} is not known"))
    return section, group


def _is_refusal(sent: Exchanged) -> bool:
    """Return whether a write certainly had no effect: Okta rejected it, and no earlier attempt may have been made."""
    answer = sent.answer
    if sent.doubtful:
        return False
    return answer is None or (not answer.ok and not may_be_done(answer))
