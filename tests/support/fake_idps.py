"""Okta and Microsoft Graph on 127.0.0.1, as far as rolecall reads them: pages, limits, refusals and all."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from idp_specs import Exchanged

MOMENT = "2026-11-22T10:00:00.000Z"


def uid(name: str) -> str:
    """The same UUID for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def oid(name: str) -> str:
    """The same Okta id for the same name."""
    return f"00{uid(name).replace('-', '')[:18]}"


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

    def groups_of(self, email: str, *, nested: bool) -> list[str]:
        """The groups of a user, with ``nested`` those that hold one of them too."""
        held = list(self.people[email])
        for name in held if nested else ():
            held += [outer for outer, inner in self.nested.items() if name in inner and outer not in held]
        return held


Answerer = Callable[[Site, str, dict[str, str]], tuple[int, Any]]


@contextmanager
def served(site: Site, answer: Answerer, *, okta: bool) -> Iterator[str]:
    """The base URL of a server that answers for a site while the ``with`` lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            status, body, headers = self._answer(parts.path, query)
            site.seen.append(Exchanged("GET", parts.path, tuple(query.items()), status, body))
            self._send(status, body, headers)

        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
            if self.path == "/oauth2/v1/token":
                self._send(*_okta_token(site, form, f"http://{self.headers['host']}{self.path}"), {})
                return
            right = form.get("client_secret") == site.client_secret and form["grant_type"] == "client_credentials"
            body = {"access_token": site.token, "token_type": "Bearer"} if right else {
                "error": "invalid_client",
                "error_description": f"AADSTS7000215: Invalid client secret {form.get('client_secret')}.\r\nTrace ID",
            }  # fmt: skip
            self._send(200 if right else 401, body, {})

        def _answer(self, path: str, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
            scheme, _, token = self.headers.get("authorization", "").partition(" ")
            if site.echo:
                return 403, _error(okta, f"{scheme} {token} is not welcome"), {"x-echo": token}
            if token != site.token or scheme != ("SSWS" if okta and site.public_key is None else "Bearer"):
                return 403 if okta else 401, _error(okta, "Invalid token provided"), {}
            if site.busy:
                site.busy -= 1
                reset = {"x-rate-limit-limit": "600", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "0"}
                return 429, _error(okta, "API call exceeded rate limit"), reset if okta else {"retry-after": "0"}
            if site.forbidden and path.endswith(site.forbidden):
                return 403, _error(okta, "You do not have permission to access the feature"), {}
            if refused := next((status for end, status in site.statuses.items() if path.endswith(end)), None):
                return refused, _error(okta, f"an answer of {refused} with {site.token}"), {}
            if site.broken and path.endswith(site.broken):
                return 200, {"value": [{"what": "ever"}]} if not okta else [{"what": "ever"}], {}
            status, body = answer(site, path, query)
            rows = body.get("value") if isinstance(body, dict) and "value" in body else body
            if not isinstance(rows, list):
                return status, body, {}
            return self._page(path, query, rows)

        def _page(self, path: str, query: dict[str, str], rows: list[Any]) -> tuple[int, Any, dict[str, str]]:
            mark = "after" if okta else "$skiptoken"
            start = int(query.get(mark, 0))
            size = min(site.page, int(query.get("limit" if okta else "$top", 100)))
            host = site.next_host or f"http://{self.headers['host']}"
            following = f"{host}{path}?{urlencode({**query, mark: start + size})}"
            more = start + size < len(rows)
            part = rows[start : start + size]
            if site.paging is not None:
                return 200, *site.paging(part, following if more else None)
            if okta:
                link = f'<{host}{path}>; rel="self"' + (f', <{following}>; rel="next"' if more else "")
                return 200, part, {"link": link}
            return 200, {"value": part, **({"@odata.nextLink": following} if more else {})}, {}

        def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
            data = json.dumps(body).encode()
            self.send_response_only(status)
            for name, said in {
                "content-type": "application/json",
                "content-length": str(len(data)),
                "date": formatdate(usegmt=True),
                **headers,
            }.items():
                self.send_header(name, said)
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _okta_token(site: Site, form: dict[str, str], endpoint: str) -> tuple[int, Any]:
    """What Okta's own authorization server answers to a service app's assertion."""
    head, claims, signature = form["client_assertion"].split(".")
    try:
        site.public_key.verify(_decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return 401, {"error": "invalid_client", "error_description": f"bad assertion {form['client_assertion']}"}
    said = json.loads(_decoded(claims))
    if (
        json.loads(_decoded(head))["alg"] != "RS256"
        or said["aud"] != endpoint
        or {said["iss"], said["sub"]} != {"0oa9"}
    ):
        return 401, {"error": "invalid_client", "error_description": "bad claims"}
    asked = form["scope"].split()
    if not set(asked) <= set(site.scopes):
        return 400, {"error": "invalid_scope", "error_description": "One or more scopes are not granted."}
    return 200, {"access_token": site.token, "token_type": "Bearer", "expires_in": 3600, "scope": form["scope"]}


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(f"{text}==")


def _error(okta: bool, words: str) -> Any:
    if okta:
        return {"errorCode": "E0000047", "errorSummary": words, "errorLink": "E", "errorId": "id", "errorCauses": []}
    return {"error": {"code": "Refused", "message": words, "innerError": {}}}


def okta_answers(site: Site, path: str, query: dict[str, str]) -> tuple[int, Any]:
    """What Okta's management API answers to what rolecall asks."""
    steps = path.strip("/").split("/")[2:]
    if steps[0] == "meta":
        own = {"writerRole": {"title": "Role", "type": "string", "externalNamespace": site.namespace}}
        custom = {"id": "#custom", "type": "object", "properties": own if site.namespace else {}}
        return 200, {"name": "writer", "title": "App user", "type": "object", "definitions": {"custom": custom}}
    if steps[0] == "groups":
        return _okta_groups(site, steps, query)
    if steps[0] == "users":
        return _okta_users(site, steps, query)
    if steps[0] == "logs":
        return 200, [row for row in site.log if f'"{row["target"][0]["id"]}"' in query["filter"]]
    if steps[:2] != ["apps", "0oa1"]:
        return 404, _error(True, f"Not found: Resource not found: {steps[1]} (AppInstance)")
    if len(steps) == 2:
        sign_on = dict(zip(("ssoAcsUrl", "audience"), site.urls, strict=False))
        app = {"id": steps[1], "label": "WRITER", "status": site.status, "signOnMode": "SAML_2_0"}
        return 200, {**app, "settings": {"signOn": sign_on}} if site.urls else app
    if steps[2] == "users":
        if len(steps) == 4:
            email = next((email for email in site.people if oid(email) == steps[3]), None)
            if email is None or email in site.without_app:
                return 404, _error(True, f"Not found: Resource not found: {steps[3]} (AppUser)")
            return 200, _okta_user(site, email)
        begins = query.get("q", "")
        return 200, [
            _okta_user(site, email)
            for email in site.people
            if email not in site.without_app and _okta_user(site, email)["credentials"]["userName"].startswith(begins)
        ]
    if steps[2] == "groups":
        return 200, [{"id": oid(name), "priority": at} for at, name in enumerate(site.assigned_groups)]
    return 200, [
        {
            "id": f"gpm{at}",
            "sourceGroupId": oid(name),
            "targetGroupId": oid(f"in WRITER, {name}"),
            "status": "ERROR" if name in site.failing else "INACTIVE" if name in site.paused else "ACTIVE",
            **({"errorSummary": site.failing[name]} if name in site.failing else {"lastPush": MOMENT}),
            "created": MOMENT,
            "lastUpdated": MOMENT,
        }
        for at, name in enumerate(site.pushed)
    ]


def _okta_groups(site: Site, steps: list[str], query: dict[str, str]) -> tuple[int, Any]:
    if len(steps) == 1:
        wanted = json.loads(query["search"].removeprefix("profile.name eq "))
        more = [{**_okta_group(name), "id": group} for group, name in site.homonyms.items() if name == wanted]
        return 200, [*(_okta_group(name) for name in site.groups if name == wanted), *more]
    name = next((name for name in site.groups if oid(name) == steps[1]), None)
    if name is None and steps[1] in site.homonyms:
        return 200, [] if len(steps) == 3 else {**_okta_group(site.homonyms[steps[1]]), "id": steps[1]}
    if name is None:
        return 404, _error(True, "Not found")
    if len(steps) == 2:
        return 200, _okta_group(name)
    return 200, [
        {"id": oid(email), "status": "ACTIVE", "created": MOMENT, "profile": {"login": email, "email": email}}
        for email in site.members(name)
    ]


def _okta_users(site: Site, steps: list[str], query: dict[str, str]) -> tuple[int, Any]:
    if len(steps) == 3:
        email = next(email for email in site.people if oid(email) == steps[1])
        return 200, [_okta_group(name) for name in site.groups_of(email, nested=False)]
    profiles = {email: {"login": email, "email": email, **site.properties.get(email, {})} for email in site.people}
    return 200, [
        {
            "id": oid(email),
            "created": MOMENT,
            "status": "SUSPENDED" if email in site.suspended else "ACTIVE",
            "profile": {"login": profile["login"], "email": profile["email"]},
        }
        for email, profile in profiles.items()
        if any(f'"{text}"' in query["filter"] for text in (oid(email), profile["login"].lower(), profile["email"]))
    ]


def _okta_group(name: str) -> dict[str, Any]:
    return {"id": oid(name), "created": MOMENT, "type": "OKTA_GROUP", "profile": {"name": name}}


def _okta_user(site: Site, email: str) -> dict[str, Any]:
    return {
        "id": oid(email),
        "created": MOMENT,
        "lastUpdated": MOMENT,
        "status": "DEPROVISIONED" if email in site.inactive else "PROVISIONED",
        "scope": "USER" if email in site.direct_users else "GROUP",
        "credentials": {"userName": site.properties.get(email, {}).get("userName", email)},
        "profile": site.profiles.get(email, {}),
    }


def graph_answers(site: Site, path: str, query: dict[str, str]) -> tuple[int, Any]:
    """What Microsoft Graph v1.0 answers to what rolecall asks."""
    steps = path.strip("/").split("/")[1:]
    if steps[0] == "groups":
        return _graph_groups(site, steps, query)
    if steps[0] == "users":
        return _graph_users(site, steps, query)
    if steps[0] == "auditLogs":
        return 200, {"value": [row for row in site.log if f"'{row['sourceIdentity']['id']}'" in query["$filter"]]}
    if steps[1] != uid("app"):
        return 404, _error(False, f"Resource '{steps[1]}' does not exist")
    if len(steps) == 2:
        roles = [
            {"id": uid(value), "value": value, "displayName": value, "allowedMemberTypes": ["User"], "isEnabled": True}
            for value in sorted(set(site.app_roles.values()))
        ]
        return 200, {"id": uid("app"), "appRoles": roles}
    if steps[-1] == "appRoleAssignedTo":
        assigned = [*((name, "Group") for name in site.pushed), *((email, "User") for email in site.direct)]
        return 200, {"value": [_assignment(site, name, kind) for name, kind in assigned]}
    if steps[-1] == "secrets":
        urls = [{"key": "BaseAddress", "value": url} for url in site.urls]
        return 200, {"value": [*urls, {"key": "SecretToken", "value": "*"}]}
    if steps[-1] == "jobs":
        status = {"code": "Active", "lastExecution": site.execution or {"state": "Succeeded", "timeEnded": MOMENT}}
        job = {"id": "job.1", "schedule": {"state": "Active"}, "status": status}
        job["synchronizationJobSettings"] = site.settings
        if site.quarantine:
            job["status"] = {"code": "Quarantine", "quarantine": {"reason": "EncounteredEscrowProportionThreshold"}}
        return 200, {"value": [job]}
    sources = [site.role_source] if site.role_source else []
    mapped = [
        {"targetAttributeName": "urn:custom:params:scim:schemas:extension:writer:2.0:User:role", "source": source}
        for source in sources
    ]
    source = site.user_name or {"name": "userPrincipalName", "type": "Attribute"}
    mapped.append({"targetAttributeName": "userName", "source": source})
    if site.emails:
        mapped.append({"targetAttributeName": 'emails[type eq "work"].value', "source": site.emails})
    mapping = {"enabled": True, "name": "users", "attributeMappings": mapped}
    return 200, {"id": "job.1", "synchronizationRules": [{"name": "rule", "objectMappings": [mapping]}]}


def _graph_groups(site: Site, steps: list[str], query: dict[str, str]) -> tuple[int, Any]:
    if len(steps) == 1:
        wanted = query["$filter"].removeprefix("displayName eq '").removesuffix("'").replace("''", "'")
        rows = [{"id": uid(name), "displayName": name} for name in site.groups if name == wanted]
        return 200, {"value": rows}
    name = next(name for name in site.groups if uid(name) == steps[1])
    people = [
        {
            "@odata.type": "#microsoft.graph.user",
            "id": uid(email),
            "userPrincipalName": email,
            "mail": email,
            "accountEnabled": email not in site.inactive,
            **site.properties.get(email, {}),
        }
        for email in site.members(name)
    ]
    selected = query["$select"].split(",")
    people = [{key: value for key, value in row.items() if key in ("@odata.type", *selected)} for row in people]
    nested = [{"@odata.type": "#microsoft.graph.group", "id": uid(one)} for one in site.nested.get(name, ())]
    return 200, {"value": [*people, *nested]}


def _graph_users(site: Site, steps: list[str], query: dict[str, str]) -> tuple[int, Any]:
    if len(steps) == 3:
        email = next(email for email in site.people if uid(email) == steps[1])
        held = site.groups_of(email, nested=steps[2] == "transitiveMemberOf")
        kind = {"@odata.type": "#microsoft.graph.group"}
        return 200, {"value": [{**kind, "id": uid(name), "displayName": name} for name in held]}
    selected = query["$select"].split(",")
    rows = [
        {
            "id": uid(email),
            "userPrincipalName": email,
            "mail": email,
            "accountEnabled": email not in site.inactive | site.suspended,
            **site.properties.get(email, {}),
        }
        for email in site.people
    ]
    rows = [
        row for row in rows if any(f"eq '{row[name]}'" in query["$filter"] for name in ("userPrincipalName", "mail"))
    ]
    return 200, {"value": [{key: value for key, value in row.items() if key in selected} for row in rows]}


def _assignment(site: Site, name: str, kind: str) -> dict[str, str]:
    return {
        "id": f"a-{name}",
        "appRoleId": uid(site.app_roles.get(name, "no role")),
        "principalId": uid(name),
        "principalDisplayName": name,
        "principalType": kind,
        "resourceId": uid("app"),
    }
