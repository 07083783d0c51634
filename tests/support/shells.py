"""Real shells in a terminal of their own: somebody types, presses Tab, and looks at what the line has become."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from terminal import Terminal

SHELLS = ("bash", "zsh", "fish")
_BIN = Path(sys.executable).parent
_READY = "READY> "
_SHOW = "\x18p"  # Ctrl-X p

_OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal the one that controls the shell, as a shell wants to have it."""

_START = {
    "bash": """
PS1='READY> '
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
bind -x '"\\C-xp": printf "<<%s>>\\n" "$READLINE_LINE"; READLINE_LINE=;'
eval "$(rolecall completion bash)"
""",
    "zsh": """
PS1='READY> '
unsetopt zle_bracketed_paste beep prompt_sp 2>/dev/null
unset zle_bracketed_paste
autoload -Uz compinit
compinit -D -u
eval "$(rolecall completion zsh)"
show() { print; print -r -- "<<$BUFFER>>"; BUFFER=; }
zle -N show
bindkey '^Xp' show
""",
    "fish": """
function fish_prompt; echo -n 'READY> '; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
rolecall completion fish | source
bind \\cxp 'echo; echo "<<"(commandline)">>"; commandline ""; commandline -f repaint'
""",
}


class Shell:
    """A shell that was told to complete, as its help says to."""

    def __init__(self, name: str, folder: Path, home: Path) -> None:
        program = installed(name)
        home.mkdir(exist_ok=True)
        start = home / {"bash": "rc", "zsh": ".zshrc", "fish": "rc"}[name]
        start.write_text(_START[name], encoding="utf-8")
        flags = {
            "bash": ["--noprofile", "--rcfile", str(start), "-i"],
            "zsh": ["-o", "no_global_rcs", "-i"],
            "fish": ["--no-config", "-i", "--init-command", f"source {start}"],
        }[name]
        environ = {
            "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "ZDOTDIR": str(home),
            "LC_ALL": "C.UTF-8",
        }
        self._terminal = Terminal([sys.executable, "-c", _OWN_TERMINAL, program, *flags], folder, environ)
        self._terminal.expect(_READY)

    def line(self, keys: str) -> str:
        """What the line is once these keys were pressed; it is cleared after."""
        self._terminal.press(keys)
        self._terminal.press(_SHOW)
        self._terminal.expect("<<")
        return self._terminal.expect(">>").removesuffix(">>")

    def close(self) -> str:
        """End it; gives all that was on the screen."""
        self._terminal.kill()
        return self._terminal.seen


def installed(name: str) -> str:
    """The shell's program; skips the test where it is missing, unless it is required here."""
    found = shutil.which(name)
    if found is None:
        if name in os.environ.get("ROLECALL_REQUIRE", "").split(","):
            pytest.fail(f"{name} is required and not installed")
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    return found
