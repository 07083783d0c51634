"""Okta and Microsoft Graph for tests that only read, described in a few flat lists, with answers no IdP should give.

Who needs state, writes or provisioning takes the stand-ins in the package `idp`. They answer here too: each request is
answered by a stand-in that is made from the description as it is then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from idp import entra_reads, okta_reads
from idp.entra import AppRegistration, Entra
from idp.entra_state import Assignment, EntraGroup, EntraUser, Job
from idp.ids import BEGAN, oid, uid
from idp.okta import Okta, ServiceApp
from idp.okta_state import APP, Mapping, OktaGroup, OktaUser, Sync
from idp.wire import Call, Reply, Route, StandIn, find_route
from idp_specs import Exchanged

__all__ = ["MOMENT", "Site", "graph_answers", "oid", "okta_answers", "served", "uid"]
MOMENT = BEGAN.strftime("%Y-%m-%dT%H:%M:%S.000Z")
ROLE_ATTRIBUTE = "urn:custom:params:scim:schemas:extension:writer:2.0:User:role"


@dataclass
class Site:
    """People by address -> their groups; which of them have the app, and which groups are pushed. ``homonyms`` are the
    ids of more groups in Okta, with the name that each shares with one of ``groups``; ``direct_users`` have the app in
    Okta without a group.

    ``user_name`` and ``emails`` are the sources of Entra's mappings of userName and the work e-mail; ``properties`` are
    what Graph says of a user beside their address. ``suspended`` are the accounts that are off in the IdP itself.
    ``log`` are rows of the IdP's provisioning log, and ``execution`` is the last one of Entra's job. ``app_roles`` are
    the values of Entra's app roles, by the group or person that is assigned with one. ``forbidden`` are ends of paths
    that the token may not read, ``statuses`` those that are answered with an error. ``busy`` is how many requests are
    answered 429 first. ``token`` is the only one taken; ``echo``: none is, and the answer repeats it. ``public_key`` is
    that of a service app in Okta, which has the ``scopes``; ``urls`` are those of the app.
    """

    people: dict[str, list[str]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    assigned_groups: list[str] = field(default_factory=list)
    without_app: set[str] = field(default_factory=set)
    inactive: set[str] = field(default_factory=set)
    suspended: set[str] = field(default_factory=set)
    log: list[dict[str, Any]] = field(default_factory=list)
    execution: dict[str, Any] | None = None
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    paused: tuple[str, ...] = ()
    nested: dict[str, list[str]] = field(default_factory=dict)
    direct: list[str] = field(default_factory=list)
    app_roles: dict[str, str] = field(default_factory=dict)
    role_source: dict[str, Any] | None = None
    user_name: dict[str, Any] | None = None
    emails: dict[str, Any] | None = None
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: list[dict[str, str]] = field(default_factory=list)
    quarantine: bool = False
    namespace: str | None = None
    status: str = "ACTIVE"
    page: int = 1000
    busy: int = 0
    token: str = "secret-token"
    client_secret: str = "client-secret"
    public_key: Any = None
    scopes: tuple[str, ...] = ()
    urls: tuple[str, ...] = ("https://app.writer.com/saml",)
    echo: bool = False
    next_host: str | None = None
    paging: Callable[[list[Any], str | None], tuple[Any, dict[str, str]]] | None = None
    broken: str | None = None
    forbidden: tuple[str, ...] = ()
    statuses: dict[str, int] = field(default_factory=dict)
    seen: list[Exchanged] = field(default_factory=list)
    homonyms: dict[str, str] = field(default_factory=dict)
    direct_users: list[str] = field(default_factory=list)

    def members(self, group: str) -> list[str]:
        return [email for email, groups in self.people.items() if group in groups]

    def group_ids(self, call: Call, id_of: Callable[[str], str]) -> list[tuple[str, str]]:
        """All groups as name and id; the second of one name has an id of its own. Those that only people name are not
        in the list of groups."""
        named = dict.fromkeys([*self.pushed, *self.assigned_groups, *self.nested])
        for groups in (*self.people.values(), *self.nested.values()):
            named |= dict.fromkeys(groups)
        counts: dict[str, int] = {}
        pairs = []
        unlisted = [] if call.path.endswith("/groups") and call.path.count("/") < 4 else named
        for name in [*self.groups, *(name for name in unlisted if name not in self.groups)]:
            counts[name] = counts.get(name, 0) + 1
            pairs.append((name, id_of(name if counts[name] == 1 else f"{name} {counts[name]}")))
        return pairs


Answerer = Callable[[Site, Call], Any]


@contextmanager
def served(site: Site, answer: Answerer, *, okta: bool) -> Iterator[str]:
    """The base URL of a server that answers for a site while the ``with`` lasts."""
    with _SiteServer(site, answer, okta).served() as url:
        yield url


def okta_answers(site: Site, call: Call) -> Any:
    """What Okta's management API answers to what rolecall asks."""
    okta = _SiteOkta(app=APP, status=site.status, urls=site.urls)
    for email in site.people:
        properties = site.properties.get(email, {})
        user = OktaUser(oid(email), properties.get("login", email), user_name=properties.get("userName", email))
        user.email, user.app_profile = properties.get("email", email), site.profiles.get(email, {})
        user.status = "SUSPENDED" if email in site.suspended else "ACTIVE"
        user.app_status = "DEPROVISIONED" if email in site.inactive else None
        okta.users[user.id], okta.synced[user.id] = user, Sync()
    direct = {oid(email) for email in site.direct_users}
    users = [oid(email) for email in site.people if email not in site.without_app]
    okta.scopes = {user_id: "USER" if user_id in direct else "GROUP" for user_id in users}
    members = {name: [oid(email) for email in site.members(name)] for name, _ in site.group_ids(call, oid)}
    okta.groups = {group_id: OktaGroup(group_id, name, members[name]) for name, group_id in site.group_ids(call, oid)}
    okta.groups |= {group_id: OktaGroup(group_id, name) for group_id, name in site.homonyms.items()}
    okta.assigned = {oid(name): at for at, name in enumerate(site.assigned_groups)}
    for at, name in enumerate(site.pushed):
        error = site.failing.get(name, "")
        status = "ERROR" if error else "INACTIVE" if name in site.paused else "ACTIVE"
        target = okta.add_app_group(name)
        mapping = Mapping(f"gpm{at}", oid(name), target.id, status, MOMENT, MOMENT, None if error else MOMENT, error)
        okta.mappings[mapping.id] = mapping
    if site.namespace:
        okta.custom = {"writerRole": {"title": "Role", "type": "string", "externalNamespace": site.namespace}}
    okta.events = site.log[::-1]
    return _answered(okta_reads.READS, okta, call._replace(query={**call.query, "since": ""}))


class _SiteOkta(Okta):
    scopes: dict[str, str]

    def app_users(self) -> dict[str, str]:
        """Return those who have the app in the description, whether or not a group of it is assigned."""
        return self.scopes


def graph_answers(site: Site, call: Call) -> Any:
    """What Microsoft Graph v1.0 answers to what rolecall asks."""
    if call.path.endswith(f"/{uid('app')}/synchronization/secrets"):
        urls = [{"key": "BaseAddress", "value": url} for url in site.urls]
        return {"value": [*urls, {"key": "SecretToken", "value": "*"}]}
    entra = Entra(roles={uid(value): value for value in sorted(set(site.app_roles.values()))})
    nobody = {"mailNickname": None, "displayName": None}
    for email in [*site.people, *site.direct]:
        enabled = email not in site.inactive | site.suspended
        entra.users[uid(email)] = EntraUser(uid(email), email, enabled, {**nobody, **site.properties.get(email, {})})
    for name, group_id in site.group_ids(call, uid):
        members, inner = map(uid, site.members(name)), map(uid, site.nested.get(name, ()))
        entra.groups[group_id] = EntraGroup(group_id, name, [*members], [*inner])
    for name in (*site.pushed, *site.direct):
        role = uid(site.app_roles.get(name, "no role"))
        entra.assignments[f"a-{name}"] = Assignment(f"a-{name}", uid(name), role, MOMENT)
    entra.secrets = {setting["name"]: setting["value"] for setting in site.settings}
    entra.jobs["job.1"] = _job(site)
    entra.entries = [{"jobId": "job.1", **row} for row in site.log]
    return _answered(entra_reads.READS, entra, call)


def _job(site: Site) -> Job:
    sources = [{"targetAttributeName": ROLE_ATTRIBUTE, "source": site.role_source}] if site.role_source else []
    user_name = site.user_name or {"name": "userPrincipalName", "type": "Attribute"}
    sources.append({"targetAttributeName": "userName", "source": user_name})
    if site.emails:
        sources.append({"targetAttributeName": 'emails[type eq "work"].value', "source": site.emails})
    mapping = {"enabled": True, "name": "users", "attributeMappings": sources}
    schema = {"id": "job.1", "synchronizationRules": [{"name": "rule", "objectMappings": [mapping]}]}
    job = Job("job.1", schema, state="Active")
    job.last = site.execution or {"state": "Succeeded", "timeEnded": MOMENT}
    job.quarantine = {"reason": "EncounteredEscrowProportionThreshold"} if site.quarantine else None
    return job


def _answered(routes: tuple[Route, ...], idp: Okta | Entra, call: Call) -> Any:
    route, call = find_route(routes, call)
    return route.handler(idp, call).body


class _SiteServer(StandIn):
    """The server of a site: its odd answers, and those of the stand-in for the rest."""

    def __init__(self, site: Site, answer: Answerer, okta: bool) -> None:
        super().__init__()
        self._site, self._answer, self._okta = site, answer, okta

    def respond(self, call: Call) -> Any:
        """Note the reads in the site."""
        reply = super().respond(call)
        self._site.seen += [exchange for exchange in self.requests if exchange.method == "GET"]
        self.requests.clear()
        return reply

    def refusal(self, status: int, text: str, code: str = "") -> Reply:
        """Return an error in the form of the IdP, with the text as its summary."""
        return (Okta() if self._okta else Entra()).refusal(status, text, code or "E0000047")

    def handle(self, call: Call) -> Reply:
        """Return the answer, or what the site says is wrong with it."""
        site = self._site
        if call.method == "POST":
            return self._sign_in(call)
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if site.echo:
            return self.refusal(403, f"{scheme} {token} is not welcome")._replace(headers={"x-echo": token})
        if token != site.token or scheme != ("SSWS" if self._okta and site.public_key is None else "Bearer"):
            return self.refusal(401, "Invalid token provided")
        if site.busy:
            site.busy -= 1
            reset = {"x-rate-limit-limit": "600", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "0"}
            reply = self.refusal(429, "API call exceeded rate limit")
            return reply._replace(headers=reset if self._okta else {"retry-after": "0"})
        if site.forbidden and call.path.endswith(site.forbidden):
            return self.refusal(403, "You do not have permission to access the feature")
        if status := next((status for end, status in site.statuses.items() if call.path.endswith(end)), None):
            return self.refusal(status, f"an answer of {status} with {site.token}")
        if site.broken and call.path.endswith(site.broken):
            return Reply(200, [{"what": "ever"}] if self._okta else {"value": [{"what": "ever"}]})
        body = self._answer(site, call)
        rows = body.get("value") if isinstance(body, dict) and "value" in body else body
        return self._page(call, rows) if isinstance(rows, list) else Reply(200, body)

    def _sign_in(self, call: Call) -> Reply:
        """Return the site's token to who proves to be its client."""
        site = self._site
        idp: Okta | Entra = Okta() if self._okta else Entra()
        if isinstance(idp, Okta):
            idp.apps["0oa9"] = ServiceApp(site.public_key, site.scopes)
        else:
            idp.clients[call.body.get("client_id", "")] = AppRegistration(site.client_secret, ())
        reply = idp.handle(call)
        return reply._replace(body={**reply.body, "access_token": site.token}) if reply.status == 200 else reply

    def _page(self, call: Call, rows: list[Any]) -> Reply:
        site, mark = self._site, "after" if self._okta else "$skiptoken"
        start = int(call.query.get(mark, 0))
        size = min(site.page, int(call.query.get("limit" if self._okta else "$top", 100)))
        here = f"{site.next_host or call.base}{call.path}"
        following = f"{here}?{urlencode({**call.query, mark: start + size})}"
        more, part = start + size < len(rows), rows[start : start + size]
        if site.paging is not None:
            return Reply(200, *site.paging(part, following if more else None))
        if self._okta:
            link = f'<{here}>; rel="self"' + (f', <{following}>; rel="next"' if more else "")
            return Reply(200, part, {"link": link})
        return Reply(200, {"value": part, **({"@odata.nextLink": following} if more else {})})
