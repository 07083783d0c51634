"""Complete lines in shells: the script of each shell, the completions of a line, and how they are passed to the shell.

Click's own scripts do not work here: bash splits words at `:` and `@`, quotes are ignored, and completions are not
quoted for the shell. Addresses and email addresses have all of these characters.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem, ShellComplete

from rolecall.cli.complete import VARIABLE
from rolecall.cli.console import write_document
from rolecall.cli.program import LazyGroup
from rolecall.errors import Exit

SCRIPTS: Mapping[str, str] = {
    "bash": r"""_rolecall_completion() {
    local offer
    COMPREPLY=()
    while IFS= read -r offer; do
        case $offer in
            "plain "*) COMPREPLY+=("${offer#plain }") ;;
            file) compopt -o default 2>/dev/null ;;
            dir) compopt -o dirnames 2>/dev/null ;;
        esac
    done < <(_ROLECALL_COMPLETE=bash "${1/#\~/$HOME}" "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -o nosort -F _rolecall_completion rolecall 2>/dev/null || complete -F _rolecall_completion rolecall
""",
    "zsh": r"""#compdef rolecall
_rolecall_completion() {
    local offer
    local -a values described shown
    local program=${~${(Q)words[1]}}
    local -a before=("${(@Q)words[2,CURRENT-1]}")
    for offer in "${(@f)$(_ROLECALL_COMPLETE=zsh $program "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        case $offer in
            plain\ *$'\t'*) offer=${offer#plain }
                described+=("${offer%%$'\t'*}"); shown+=("${offer/$'\t'/  -- }") ;;
            plain\ *) values+=("${offer#plain }") ;;
            file) [[ $PREFIX == -*=* ]] && compset -P 1 '*='; _files ;;
            dir) [[ $PREFIX == -*=* ]] && compset -P 1 '*='; _files -/ ;;
        esac
    done
    (( $#values )) && compadd -a values
    (( $#described )) && compadd -l -d shown -a described
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rolecall_completion "$@"
else
    compdef _rolecall_completion rolecall
fi
""",
    "fish": r"""function _rolecall_completion
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l raw (commandline -ct)
    set -l current (string unescape -- $raw; or string replace -r '^[\'"]' '' -- $raw)
    set -l lead (string match -r '^-[^=]*=' -- $current)
    set -l path (string replace -r '^-[^=]*=' '' -- $current)
    for offer in (_ROLECALL_COMPLETE=fish $program $words "$current" 2>/dev/null)
        switch $offer
            case 'plain *'
                string replace 'plain ' '' -- $offer
            case file
                string replace -r '^' -- "$lead" (__fish_complete_path "$path")
            case dir
                string replace -r '^' -- "$lead" (__fish_complete_directories "$path")
        end
    end
end
complete --command rolecall --no-files --arguments '(_rolecall_completion)'
""",
}


class Typed(NamedTuple):
    """A line up to the cursor: the complete words, and the last one, without its quotes.

    Bash replaces ``word`` after its first ``kept`` characters. ``quote`` is the quote that is still open, or empty.
    """

    words: tuple[str, ...]
    word: str
    kept: int
    quote: str


def typed(line: str, breaks: str) -> Typed:
    """Parse a line as bash does. ``breaks`` are the characters at which bash begins a new word."""
    tokens: list[str] = []
    token, fixed, quote, begun = "", 0, "", False
    chars = iter(line)
    for char in chars:
        if quote and char == quote:
            quote, fixed = "", len(token)
        elif quote:
            token += _within(char, quote, chars)
        elif char in "'\"":
            quote, fixed, begun = char, len(token), True
        elif char in " \t\n":
            tokens += [token] if begun or token else []
            token, fixed, begun = "", 0, False
        else:
            token += next(chars, "") if char == "\\" else char
            if char in breaks and char != "\\":
                fixed = len(token) - (char == "@")  # bash replaces this character too
    return Typed(tuple(tokens), token, fixed, quote)


def _within(char: str, quote: str, chars: Iterable[str]) -> str:
    """Return a character inside quotes; in double quotes a backslash escapes those that are special there."""
    if char != "\\" or quote != '"':
        return char
    after = next(iter(chars), "")
    return after if after in '"\\$`' else char + after


def in_bash(value: str, line: Typed) -> str:
    """Return what bash has to put at the end of the last word, so that it becomes ``value``."""
    end = value[line.kept :]
    if line.quote == "'":
        return end.replace("'", "'\\''")
    if line.quote == '"':
        return re.sub(r'(["\\$`])', r"\\\1", end)
    return re.sub(r"([^\w@%+=:,./^-])", r"\\\1", end)


Item = CompletionItem[str]


def offer(shell: str, args: Sequence[str]) -> int:
    """Write the completions of a line, one per line: `plain VALUE`, `file` or `dir`; zsh and fish get `VALUE⇥help`.

    ``args`` are the words after the program's name, including the one to complete; from bash they are the line up to
    the cursor and the characters at which it breaks words.
    """
    sys.excepthook = lambda *_: None  # no bug may be reported into a line that a user is typing
    if shell == "bash" and len(args) == 2:
        line = typed(*args)
        _write([*line.words[1:], line.word], lambda item: in_bash(item.value, line))
    elif shell in ("zsh", "fish"):
        _write(args, lambda item: f"{item.value}\t{item.help}" if item.help else item.value)
    return Exit.OK


def _write(args: Sequence[str], form: Callable[[Item], str]) -> None:
    lines = (f"plain {form(item)}" if item.type == "plain" else item.type for item in offers(args))
    write_document("".join(f"{line}\n" for line in dict.fromkeys(lines)))


def offers(args: Sequence[str]) -> Iterator[Item]:
    """Yield the completions of the last word, as whole words; none if the words before it cannot be parsed."""
    last_token = args[-1] if args else ""
    lead = f"{last_token.partition('=')[0]}=" if last_token.startswith("-") and "=" in last_token else ""
    try:
        completions = ShellComplete(LazyGroup(), {}, "rolecall", VARIABLE).get_completions([*args[:-1]], last_token)
    except (click.ClickException, OSError):
        return
    for item in completions:
        value = f"{lead}{item.value}"
        if value.isprintable():
            yield CompletionItem(value, item.type, item.help)
