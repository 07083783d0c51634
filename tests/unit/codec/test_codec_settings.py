"""Test values to JSON and back; equal values of thousands of groups share one object."""

from __future__ import annotations

from rolecall.codec.settings import decode_value, value_decoder
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import BLANK, Domain


def test_mappings_that_give_the_same_come_out_as_one_value():
    decode = value_decoder("idp_groups")
    first, second = ({"role": "member", "teams": ["IT", "Legal"]} for _ in range(2))
    assert decode(first) is decode(second)
    assert decode(first) == decode_value("idp_groups", first)


def test_mappings_that_differ_do_not():
    decode = value_decoder("idp_groups")
    said = [{"role": "member"}, {"teams": ["IT"]}, {"role": "member", "teams": ["IT"]}, {"teams": ["Legal"]}, {}]
    assert [decode(row) for row in said] == [decode_value("idp_groups", row) for row in said]
    assert decode({}) == BLANK


def test_roles_are_those_of_the_org_and_other_sections_are_decoded_as_ever():
    roles = {**BUILT_IN, "auditor": Role("auditor", "Auditor")}
    assert value_decoder("idp_groups", roles)({"role": "Auditor", "teams": ["IT"]}).role == "auditor"
    assert value_decoder("domains")({"discoverable": True}) == Domain(discoverable=True)
