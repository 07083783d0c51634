"""Test that comments in a list in brackets stay when its items change."""

from __future__ import annotations

import pytest
import yaml

from rolecall.desired.edit.entries import value_splices
from rolecall.desired.edit.format import comments
from rolecall.desired.edit.nodes import Text, spliced

LISTS = [
    "teams: [\n    IT, # needed\n    # why marketing\n    Marketing, # temp\n  ]\n",
    "teams: [IT, # needed\n    Marketing] # tail\n",
    "teams: [IT # needed\n    , Marketing # last\n    ]\n",
    "teams: [ # which\n    'IT', \"Marketing\" # both, of course\n  ] # tail\n",
]
WISHES = [
    ["IT", "Legal"],
    ["IT", "Marketing", "Legal"],
    ["Marketing"],
    ["IT"],
    ["Legal"],
    ["Legal", "Sales", "Everyone"],
    ["IT", "Marketing"],
]


@pytest.mark.parametrize("text", LISTS)
@pytest.mark.parametrize("wish", WISHES, ids=" ".join)
def test_every_comment_stays(text: str, wish: list[str]) -> None:
    doc = Text(text)
    after = spliced(text, value_splices(doc, doc.fields(doc.root)["teams"], wish))
    assert sorted(yaml.safe_load(after)["teams"]) == sorted(wish)
    assert comments(after) == comments(text)


def test_a_list_without_comments_is_written_as_before() -> None:
    text = "teams: [IT,\n  Marketing]\n"
    doc = Text(text)
    assert spliced(text, value_splices(doc, doc.fields(doc.root)["teams"], ["IT", "A#B"])) == 'teams: [IT, "A#B"]\n'
