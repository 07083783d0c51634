"""Encodes and decodes users as JSON lines, in batches, so that an org of a million users is never text all at once.
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from json.encoder import encode_basestring

from rolecall.codec.people import DirectoryBuilder, encode_person
from rolecall.codec.settings import Json, Roles
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.directory import Directory
from rolecall.model.live import COMPLETE, Coverage
from rolecall.model.roles import BUILT_IN

BATCH = 1 << 20
"""Approximate bytes of a batch: what a caller should read at a time, and what encode_lines yields at a time."""

LONGEST_LINE = 16 << 20
MOST_PROBLEMS = 50


def decode_lines(
    chunks: Iterable[bytes],
    groups: Iterable[str] = (),
    *,
    file: str = "people.jsonl",
    names: Mapping[str, str] | None = None,
    roles: Roles = BUILT_IN,
    coverage: Coverage = COMPLETE,
    keys: set[str] | None = None,
) -> Directory:
    """Return the directory in a JSONL file, from its bytes in order, split anywhere. ``file`` is its name in problems.

    ``keys`` gets the keys of all objects. Other arguments as for DirectoryBuilder. Raises ConfigError with every
    invalid line, up to 50, and every repeated email address (R28).
    """
    builder = DirectoryBuilder(groups, names=names, roles=roles)
    problems: list[Problem] = []
    numbers: list[Sequence[int]] = []
    first = 1
    for block in _blocks(chunks, file):
        problems += _add(builder, block, first, file, numbers, keys)
        first += block.count(b"\n") + 1
        if len(problems) >= MOST_PROBLEMS:
            break
    if twice := builder.repeated():
        problems += _twice(frozenset(twice), zip(builder.emails, chain.from_iterable(numbers), strict=True), file)
    if problems:
        raise ConfigError(*problems[:MOST_PROBLEMS])
    return builder.build(coverage)


def encode_lines(directory: Directory) -> Iterator[bytes]:
    """Yield all users as JSON lines, in batches of about 1 MiB that end with a line."""
    lines: list[str] = []
    size = 0
    for line in _encoded(directory):
        lines.append(line)
        size += len(line)
        if size >= BATCH:
            yield "".join(lines).encode()
            lines, size = [], 0
    if lines:
        yield "".join(lines).encode()


def _encoded(directory: Directory) -> Iterator[str]:
    """Yield each user's line, as ``encode_person`` returns it. Lines of plain users are built from text, which is three
    times as fast.
    """
    groups = [encode_basestring(name) for name in directory.groups]
    members, uncommon = directory.members, directory.others.keys() | directory.profiles.keys()
    for number, (start, end) in enumerate(pairwise(directory.offsets)):
        if number in uncommon:
            user = encode_person(directory.person(number))
            yield f"{json.dumps(user, ensure_ascii=False, separators=(',', ':'))}\n"
            continue
        email, own_id = directory.emails[number], directory.ids[number]
        named = f',"id":{encode_basestring(own_id)}' if own_id and own_id != email else ""
        joined = ",".join([groups[group] for group in members[start:end]])
        yield f'{{"email":{encode_basestring(email)}{named},"origin":"scim","active":true,"groups":[{joined}]}}\n'


def _blocks(chunks: Iterable[bytes], file: str) -> Iterator[bytes]:
    """Yield the chunks, split again at line ends, without the last line end of each."""
    unfinished = b""
    start = True
    for chunk in chunks:
        if start:
            chunk, start = chunk.removeprefix(b"\xef\xbb\xbf"), False
        whole, end, tail = chunk.rpartition(b"\n")
        if end:
            yield unfinished + whole
            unfinished = tail
        else:
            unfinished += tail
        if len(unfinished) > LONGEST_LINE:
            raise ConfigError(Problem("people_syntax", "a line is longer than 16 MiB", Where(file), _HINT))
    if unfinished:
        yield unfinished


def _add(
    builder: DirectoryBuilder,
    block: bytes,
    first: int,
    file: str,
    line_numbers: list[Sequence[int]],
    keys: set[str] | None,
) -> list[Problem]:
    """Add a block's lines; all parsed at once, and one by one only if that fails. ``line_numbers`` gets the numbers of
    those that are users.
    """
    users = _all_at_once(block)
    problems: list[Problem] = []
    numbers: Sequence[int] = range(first, first + len(users or ()))
    if users is None:
        parsed = list(_one_by_one(block.split(b"\n"), first, file, problems))
        numbers, users = [line for line, _ in parsed], [index for _, index in parsed]
    if keys is not None:
        keys.update(*(index for index in users if isinstance(index, dict)))
    faults = {fault.row: fault.message for fault in builder.add(users)}
    line_numbers.append([number for index, number in enumerate(numbers) if index not in faults] if faults else numbers)
    problems += (
        Problem("people_invalid", message, Where(file, numbers[index], 1), _HINT) for index, message in faults.items()
    )
    return sorted(problems, key=lambda problem: problem.where or Where(file))


def _all_at_once(block: bytes) -> list[Json] | None:
    """Return the lines' objects, or None if not every line is clearly one object."""
    try:
        objects: list[Json] = json.loads(f"[{block.replace(_END, _COMMA).decode()}]")
    except (ValueError, RecursionError):
        return None
    return objects if len(objects) == block.count(_END) + 1 else None


_END, _COMMA = b"\n", b","


def _one_by_one(lines: list[bytes], first: int, file: str, problems: list[Problem]) -> Iterator[tuple[int, Json]]:
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line.decode())
        except UnicodeDecodeError:
            problems.append(Problem("people_encoding", "is not UTF-8 text", Where(file, number, 1), "save it as UTF-8"))
        except RecursionError:
            problems.append(Problem("people_syntax", "is nested too deeply", Where(file, number, 1), _HINT))
        except json.JSONDecodeError as error:
            where = Where(file, number, error.colno)
            problems.append(Problem("people_syntax", f"is not JSON: {error.msg}", where, _HINT))


def _twice(repeated: frozenset[str], lines: Iterable[tuple[str, int]], file: str) -> Iterator[Problem]:
    """Yield a problem at each line that repeats an address."""
    first_lines: dict[str, int] = {}
    for email, line in lines:
        if email in repeated and first_lines.setdefault(email, line) != line:
            first = f"see line {first_lines[email]}"
            message = f"several users have the email address {email} (ignoring case): {first}"
            yield Problem("people_repeated", message, Where(file, line, 1), "keep one line per user")


_HINT = 'write one object per line, such as {"email": "ann@acme.com", "groups": ["Writers"]}'
