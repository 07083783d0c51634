"""Checks what a configuration points at: the org's URL, files of the repository, and required tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from rolecall.desired.load.files import leads_out
from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import Problem
from rolecall.source.document import Step
from rolecall.source.files import MOVE_INSIDE, glob_paths, inside

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):(.*)$", re.DOTALL)
_HOST = re.compile(r"^[\w-]{1,63}(\.[\w-]{1,63})*\.?$", re.ASCII)
_LONGEST_NAME = 253
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_targets(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with the org, the source of users, the IdP, the journal and files."""
    org = sound.get("org", {})
    if isinstance(org.get("url"), str):
        yield from _org(org, sources)
    people = sound.get("people")
    if isinstance(people, dict):
        yield from _people(people, sources)
    if people == "idp" or "idp" in sound:
        yield from _idp(sound, sources)
    yield from _journal(sound.get("journal", {}).get("url"), sources)
    for key, message in _WRITER_APIS.items():
        yield from _writer_api(key, message, sound, sources)
    metadata = sound.get("sso", {}).get("metadata")
    if isinstance(metadata, dict):
        yield from _file(metadata["file"], ("sso", "metadata", "file"), sources)
    if metadata is not None:
        from rolecall.desired.check.metadata import check_metadata

        yield from check_metadata(sound["sso"], sources)


def _idp(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    from rolecall.desired.check.idp import check_idp

    for name, connection in sound.get("idp", {}).items():
        if not isinstance(connection, dict):
            continue  # the lists of groups
        for key in ("url", "login_url"):
            if key in connection:
                yield from _web(connection[key], ("idp", name, key), sources)
        if name == "okta" and isinstance(connection.get("url"), str):
            yield from _admin_console(connection["url"], ("idp", "okta", "url"), sources)
        if name == "entra" and isinstance(connection.get("tenant"), str):
            yield from _tenant(connection["tenant"], ("idp", "entra", "tenant"), sources)
        yield from _app(connection.get("app"), name, ("idp", name, "app"), sources)
    yield from check_idp(sound, sources)


def _org(org: ValidConfig, sources: Sources) -> Iterator[Problem]:
    where = sources.where(("org", "url"))
    match = _SCHEME.match(org["url"])
    scheme, location = (match[1].lower(), match[2]) if match else ("", "")
    if scheme in ("http", "https"):
        yield from _web(org["url"], ("org", "url"), sources)
        if "token" not in org:
            message = f"an org with an {scheme}:// URL requires a token"
            yield Problem("no_token", message, where, _ADD_TOKEN, "warning")
    elif scheme in ("local", "observed") and location.strip():
        if scheme == "observed" and inside(sources.root, location) is None:
            yield Problem("outside", f"`{location}` is outside the configuration folder", where, MOVE_INSIDE)
    else:
        from rolecall.model.target import URL_FORMS

        yield Problem("org_url", "this is not a valid org URL", where, f"use {URL_FORMS}")


_ADD_TOKEN = "add `token: {env: ROLECALL_TOKEN}`"
_WRITE_URL = "write https://HOST or https://HOST:PORT"


def _web(url: str, path: tuple[Step, ...], sources: Sources) -> Iterator[Problem]:
    """Yield problems with an http(s) URL. Messages do not repeat the URL, because it may contain a secret."""
    where = sources.where(path)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield Problem("org_url", "this is not a valid URL", where, _WRITE_URL)
        return
    if not host or not _is_host(host) or not url.isprintable() or " " in url:
        yield Problem("org_url", "this URL has no valid host", where, _WRITE_URL)
    elif parts.username is not None or parts.password is not None:
        hint = f"remove the user and the password; if there is no token, {_ADD_TOKEN}"
        yield Problem("org_url", "a URL must not contain a user or a password", where, hint)
    elif parts.query or parts.fragment:
        yield Problem("org_url", "a URL must not contain `?` or `#`", where, "remove what follows the path")
    elif parts.scheme == "http" and host not in _LOOPBACK:
        message = "http:// is allowed only for this machine, because it sends the token unencrypted"
        yield Problem("plain_http", message, where, "use https://")


_ADMIN_CONSOLE = re.compile(r"^([\w-]+)-admin\.(okta\.com|oktapreview\.com|okta-emea\.com|okta-gov\.com)$", re.ASCII)


def _admin_console(url: str, path: tuple[Step, ...], sources: Sources) -> Iterator[Problem]:
    """Yield a problem for the address of Okta's admin console, which has no API."""
    try:
        match = _ADMIN_CONSOLE.match(urlsplit(url).hostname or "")
    except ValueError:
        return
    if match:
        hint = f"write https://{match[1]}.{match[2]}"
        yield Problem(
            "okta_url", "this is the address of Okta's admin console, not of its API", sources.where(path), hint
        )


_APP_IDS = {
    "okta": (re.compile(r"/(0oa\w+)", re.ASCII), "the app's ID, such as 0oa1b2c3"),
    "entra": (re.compile(r"objectId/([0-9a-f-]{36})", re.ASCII | re.IGNORECASE), "the app's object ID"),
}
"""Patterns of the ID in the address of the app's page in the IdP, and what to write where it has none."""


def _app(app: object, idp: str, path: tuple[Step, ...], sources: Sources) -> Iterator[Problem]:
    """Yield a problem for the address of an app's page, in the place of its ID."""
    if isinstance(app, str) and "/" in app:
        form, what = _APP_IDS[idp]
        match = form.search(app)
        message = "this is the address of a page, not the ID of an app"
        yield Problem("app_id", message, sources.where(path), f"write {match[1] if match else what}")


def _tenant(tenant: str, path: tuple[Step, ...], sources: Sources) -> Iterator[Problem]:
    """Yield a problem for a tenant that is neither an ID nor a domain name."""
    if not _HOST.match(tenant):
        message = "this is not an Entra tenant: a tenant is named by its ID or by a domain name"
        hint = "write the tenant ID, or a domain such as acme.onmicrosoft.com"
        yield Problem("entra_tenant", message, sources.where(path), hint)


def _is_host(host: str) -> bool:
    """Return whether a name can be resolved: an IPv6 address, or labels of at most 63 characters separated by dots."""
    if ":" in host:
        return True
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        return False
    return len(name) <= _LONGEST_NAME and _HOST.match(name) is not None


def _journal(url: Any, sources: Sources) -> Iterator[Problem]:
    if not isinstance(url, str) or url.startswith("sqlite:"):
        return
    where = sources.where(("journal", "url"))
    try:
        password = urlsplit(url).password
    except ValueError:
        yield Problem("journal_url", "this is not a valid URL", where, "write postgresql://HOST/DATABASE")
        return
    if password or "password=" in url:
        hint = (
            "change the password, because it may have been read in this file; set ROLECALL_JOURNAL to the new URL, and "
            "write `url: {env: ROLECALL_JOURNAL}`"
        )
        yield Problem("literal_secret", "`journal.url` contains a password", where, hint)


_WRITER_APIS = {"audit": "a local org has its own audit log", "usage": "a local org has no usage data at WRITER"}
"""The sections with a connection to WRITER, and why a local org must not have them."""


def _writer_api(key: str, local: str, sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with a connection to WRITER: not for a local org, and a key is sent to WRITER or this machine
    only."""
    section = sound.get(key)
    if not isinstance(section, dict):
        return
    if str(sound.get("org", {}).get("url", "")).lower().startswith("local:"):
        yield Problem(f"{key}_local", local, sources.where((key,), key=True), f"remove `{key}`")
    url = section.get("url")
    if isinstance(url, str):
        problems = list(_web(url, (key, "url"), sources))
        yield from problems
        if not problems and urlsplit(url).hostname not in _LOOPBACK:
            message = f"`{key}.url` may only be an address of this machine"
            hint = "remove it: the key is sent to api.writer.com"
            yield Problem(f"{key}_url", message, sources.where((key, "url")), hint)


def _people(people: ValidConfig, sources: Sources) -> Iterator[Problem]:
    if "file" in people:
        for problem in _file(people["file"], ("people", "file"), sources):
            yield problem if problem.code == "outside" else problem._replace(severity="warning")
    patterns = people.get("files", [])
    for at, pattern in enumerate(patterns if isinstance(patterns, list) else [patterns]):
        yield from _pattern(pattern, ("people", "files", at), sources)
    for kind in ("scim", "okta", "url", "login_url"):
        if kind in people:
            yield from _web(people[kind], ("people", kind), sources)
    if isinstance(people.get("okta"), str):
        yield from _admin_console(people["okta"], ("people", "okta"), sources)
    if isinstance(people.get("entra"), str):
        yield from _tenant(people["entra"], ("people", "entra"), sources)
    yield from _app(people.get("app"), "entra" if "entra" in people else "okta", ("people", "app"), sources)
    if "entra" in people and "token" not in people and not {"client_id", "client_secret"} <= people.keys():
        hint = "add `client_id` and `client_secret`, or `token`"
        yield Problem("no_token", "Entra requires credentials", sources.where(("people",), key=True), hint)


def _pattern(pattern: str, path: tuple[Step, ...], sources: Sources) -> Iterator[Problem]:
    if leads_out(pattern):
        message = f"`{pattern}` is outside the configuration folder"
        yield Problem("outside", message, sources.where(path), MOVE_INSIDE)
    elif not glob_paths(sources.root, pattern):
        message = f"`{pattern}` matches no file, so no users are read"
        hint = "correct the pattern, or export the users to a file that it matches"
        yield Problem("no_match", message, sources.where(path), hint, "warning")


def _file(name: str, path: tuple[Step, ...], sources: Sources) -> Iterator[Problem]:
    where = sources.where(path)
    file = inside(sources.root, name)
    if file is None:
        yield Problem("outside", f"`{name}` is outside the configuration folder", where, MOVE_INSIDE)
    elif file.is_dir():
        yield Problem("no_file", f"`{name}` is a folder", where, "use the path of a file")
    elif not file.is_file():
        hint = "correct the path, which is relative to rolecall.yaml"
        yield Problem("no_file", f"file `{name}` not found", where, hint)
