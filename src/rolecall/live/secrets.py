"""Resolves references to secrets right before use, and checks which host may receive one.

Nothing here reads the environment: ``cli`` passes it in. No message contains a secret or a part of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from rolecall.errors import Problem, SecretError
from rolecall.model.target import SecretRef
from rolecall.source.files import inside

Run = Callable[[tuple[str, ...]], tuple[int, bytes]]
"""Runs a command without a shell; returns its exit code and stdout. May raise OSError."""

LARGEST = 64 * 1024
SECONDS = 60
_PORTS = {"https": 443, "http": 80}


def run_command(command: tuple[str, ...]) -> tuple[int, bytes]:
    """Run a command without a shell or a terminal, for at most a minute. Raises OSError."""
    import subprocess

    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no output within {SECONDS} seconds") from error
    return done.returncode, done.stdout


def resolve(
    ref: SecretRef, environ: Mapping[str, str], repo: Path, run: Run = run_command, *, lines: bool = False
) -> str:
    """Return the secret behind a reference, without surrounding white space. Raises SecretError with the reference's
    place. ``lines``: it may have several lines, like a key in PEM.

    ``file`` stays inside ``repo`` or ``ROLECALL_SECRETS_DIR``, links resolved; ``exec`` needs ROLECALL_ALLOW_EXEC=1.
    """
    match ref.kind:
        case "env":
            text = _from_environment(ref, environ)
        case "file":
            text = _from_file(ref, environ, repo)
        case "exec":
            text = _from_command(ref, environ, run)
    return _usable(ref, text, lines)


def org_token(ref: SecretRef, url: str, environ: Mapping[str, str], repo: Path, run: Run = run_command) -> str:
    """Return the token for the org at ``url``. The host is checked first, so that no secret is fetched for the wrong
    host.
    """
    check_host(url, environ, ref)
    return resolve(ref, environ, repo, run)


def check_host(
    url: str, environ: Mapping[str, str], ref: SecretRef | None = None, variable: str = "ROLECALL_TOKEN_HOST"
) -> None:
    """Raise SecretError unless a token may be sent to the host of ``url``.

    ``variable`` names the only allowed host, with or without a port: ``ROLECALL_TOKEN_HOST`` for the org,
    ``ROLECALL_PEOPLE_HOST`` for a source of users, ``ROLECALL_IDP_HOST`` for the connection in ``idp``. It
    is required if CI is set: a pipeline for a contributor's branch must not send its token to a host that the branch
    chooses. Only http and https are checked.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return
    pinned = environ.get(variable, "").strip()
    whose = _WHOSE[variable]
    if not pinned and is_ci(environ):
        message = f"in CI, {variable} must name {whose}, so that a pull request cannot send the token to another host"
        hint = f"set it in the pipeline's settings: {variable}={parts.hostname or 'HOST'}"
        raise _refused(ref, "token_host", message, hint)
    if pinned and not _same_host(pinned, parts):
        message = f"the token may only be sent to {pinned}, not to {parts.hostname or 'a URL without a host'}"
        raise _refused(ref, "token_host", message, f"correct the URL, or set {variable} to its host")


def check_app(app: str, environ: Mapping[str, str], ref: SecretRef | None = None) -> None:
    """Raise SecretError unless ``ROLECALL_IDP_APP`` names this app of the IdP, or is not set."""
    pinned = environ.get("ROLECALL_IDP_APP", "").strip()
    if pinned and pinned != app:
        message = f"`idp` is about the app {app}, but ROLECALL_IDP_APP is {pinned}"
        raise _refused(ref, "idp_app", message, "correct `app`, or ROLECALL_IDP_APP if this is the right app")


_WHOSE = {
    "ROLECALL_TOKEN_HOST": "the org's host",
    "ROLECALL_PEOPLE_HOST": "the host of the source of users",
    "ROLECALL_IDP_HOST": "the IdP's host",
}


def is_ci(environ: Mapping[str, str]) -> bool:
    """Return whether this runs in a pipeline: CI is set to something other than false or 0."""
    return environ.get("CI", "").strip().lower() not in ("", "0", "false")


def _same_host(pinned: str, parts: SplitResult) -> bool:
    """Return whether a URL matches ``pinned``: HOST, HOST:PORT, or either after a scheme; parts that it lacks match
    anything.
    """
    try:
        host = urlsplit(pinned if "//" in pinned else f"//{pinned}")
        port = parts.port or _PORTS[parts.scheme]
        return _host(host) == _host(parts) != "" and host.scheme in ("", parts.scheme) and host.port in (None, port)
    except ValueError:
        return False


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _from_environment(ref: SecretRef, environ: Mapping[str, str]) -> str:
    name = str(ref.value)
    if name not in environ:
        raise _refused(
            ref, "secret_missing", f"the environment variable {name} is not set", f"set {name} to the secret"
        )
    return environ[name]


def _from_file(ref: SecretRef, environ: Mapping[str, str], repo: Path) -> str:
    name = str(ref.value)
    folders = [repo]
    if vault := environ.get("ROLECALL_SECRETS_DIR", ""):
        folders.append(Path(vault))
    allowed = [path for folder in folders if (path := inside(folder, name)) is not None]
    if not allowed:
        hint = "move it into the configuration folder, or set ROLECALL_SECRETS_DIR to its folder"
        raise _refused(ref, "secret_outside", f"the secret file `{name}` is outside the allowed folders", hint)
    present = next((path for path in allowed if path.is_file()), None)
    if present is None:
        hint = "correct the path, which is relative to rolecall.yaml or to ROLECALL_SECRETS_DIR"
        raise _refused(ref, "secret_missing", f"secret file `{name}` not found", hint)
    try:
        with present.open("rb") as stream:
            return _decoded(ref, stream.read(LARGEST + 1))
    except OSError as error:
        hint = "check the permissions of the file"
        raise _refused(ref, "secret_missing", f"the secret file `{name}` cannot be read", hint) from error


def _from_command(ref: SecretRef, environ: Mapping[str, str], run: Run) -> str:
    command = (ref.value,) if isinstance(ref.value, str) else ref.value
    if environ.get("ROLECALL_ALLOW_EXEC") != "1":
        hint = "if you trust this configuration to run commands, set ROLECALL_ALLOW_EXEC=1"
        raise _refused(
            ref,
            "exec_not_allowed",
            f"this configuration gets a secret from the command `{command[0]}`, which is not allowed",
            hint,
        )
    try:
        code, output = run(command)
    except OSError as error:
        if isinstance(error, TimeoutError):
            message, hint = f"`{command[0]}` did not finish within {SECONDS} s", "run it manually to find out why"
        else:
            message, hint = f"`{command[0]}` cannot be run", "check that it is installed"
        raise _refused(ref, "secret_missing", message, hint) from error
    if code != 0:
        raise _refused(
            ref, "secret_missing", f"`{command[0]}` failed with exit code {code}", "run it manually to see the error"
        )
    return _decoded(ref, output)


def _decoded(ref: SecretRef, data: bytes) -> str:
    if len(data) > LARGEST:
        raise _refused(ref, "secret_form", "the secret is larger than 64 KiB", None)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(ref, "secret_form", "the secret is not UTF-8 text", None) from None


def _usable(ref: SecretRef, text: str, lines: bool) -> str:
    secret = "\n".join(text.split("\r\n")).strip() if lines else text.strip()
    if not secret:
        raise _refused(ref, "secret_missing", f"the secret of {_described(ref)} is empty", "set it to the secret")
    if not (secret.replace("\n", "") if lines else secret).isprintable():
        raise _refused(
            ref, "secret_form", f"the secret of {_described(ref)} contains a line break or a control character", None
        )
    return secret


def _described(ref: SecretRef) -> str:
    match ref.kind:
        case "env":
            return f"the environment variable {ref.value}"
        case "file":
            return f"the file `{ref.value}`"
        case "exec":
            return f"the command `{ref.value[0]}`"


def _refused(ref: SecretRef | None, code: str, message: str, hint: str | None) -> SecretError:
    return SecretError(Problem(code, message, ref.source if ref else None, hint))
