"""Compiles the syntax tree of a SCIM filter to SQL whose values are all bound.

Every predicate is true or false, never null, so that ``not`` means what RFC 7644 §3.4.2.2 says. Strings compare in the
form that the folded document has. The evaluator of scim2-models is the reference; a property test compares the two.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from scim2_models import InvalidFilterException, Resource, ScimFilter
from scim2_models.path import (
    STRING_OPERATORS,
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)
from scim2_server.utils import parametrize
from sqlalchemy import Column, ColumnElement, and_, false, func, not_, or_

from rolecall.localorg.scim.shapes import ADDRESSES, Dialect, Entries, JsonEntries, Shape, Term, fold_value, names
from rolecall.localorg.store.keys import fold

MAX_TERMS: Final = 200
"""The most comparisons in one filter: more would exceed SQLite's limit on the depth of an expression."""

Predicate = ColumnElement[bool]


def compile_filter(
    expression: ScimFilter[Any], model: type[Resource[Any]], shape: Shape, dialect: Dialect
) -> Predicate:
    """Return the filter as a predicate over a shape's table. An attribute that the model lacks matches nothing.

    Raises InvalidFilterException for a filter that is too long, or compares what cannot be compared.
    """
    if _terms(expression.ast) > MAX_TERMS:
        raise InvalidFilterException(detail=f"a filter may hold {MAX_TERMS} comparisons at most")
    bound = parametrize(ScimFilter, model)(str(expression))
    return _Compiler(bound, shape, dialect).visit(bound.ast)


def compile_entries(
    node: FilterNode, attribute: AttrPath, model: type[Resource[Any]], entries: Entries, dialect: Dialect
) -> Predicate:
    """Return a value selection's filter as a predicate over the entries of one attribute, such as ``members[…]``."""
    bound = parametrize(ScimFilter, model)(str(ValuePath(attribute, node)))
    return _EntryCompiler(bound, attribute, entries, dialect).visit(node)


def _terms(node: FilterNode) -> int:
    if isinstance(node, LogicalExpr):
        return sum(map(_terms, node.terms))
    if isinstance(node, Not):
        return _terms(node.expr)
    return _terms(node.val_filter) if isinstance(node, ValuePath) else 1


class _Boolean(FilterVisitor[Predicate]):
    def visit_not(self, node: Not) -> Predicate:
        return not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Predicate:
        join = and_ if node.op == LogicalOperator.and_ else or_
        return join(*(self.visit(term) for term in node.terms))


class _Compiler(_Boolean):
    """Predicates over a resource's row."""

    def __init__(self, bound: ScimFilter[Any], shape: Shape, dialect: Dialect) -> None:
        self.bound = bound
        self.shape = shape
        self.dialect = dialect
        self._lists = 0

    def visit_comparison(self, node: Comparison) -> Predicate:
        """Return the predicate of a comparison: false if the resource has no such attribute."""
        binding = self.bound.resolve_comparison(node.attr_path, strict=False)
        if binding is None:
            return false()
        if binding.target_type is datetime and node.op in STRING_OPERATORS:
            return false()
        value = operand(binding, node)
        if not binding.is_multivalued:
            return and_(
                *self._narrowed(binding, node.op, value), compare(self.dialect, self._scalar(binding), node.op, value)
            )
        return self._compare_entries(self._entries(binding), _sub_name(binding), node.op, value)

    def visit_present(self, node: Present) -> Predicate:
        """Return the predicate of ``pr``: an attribute, a part of it or one of its entries has a value."""
        binding = self.bound.resolve(node.attr_path, strict=False)
        if binding is None:
            return false()
        if not binding.is_multivalued:
            return or_(*(_present(term) for term in self._leaves(binding)))
        entries = self._entries(binding)
        terms = [entries.field(name) for name in _leaf_names(binding)]
        any_present = or_(*(_present(term) for term in terms if term is not None))
        return entries.select().where(any_present).exists()

    def visit_value_path(self, node: ValuePath) -> Predicate:
        binding = self.bound.resolve(node.attr_path, strict=False)
        if binding is None:
            return false()
        entries = self._entries(binding)
        inner = _EntryCompiler(self.bound, node.attr_path, entries, self.dialect).visit(node.val_filter)
        return entries.select().where(inner).exists()

    def _compare_entries(self, entries: Entries, name: str | None, op: CompareOperator, value: str | None) -> Predicate:
        term = _comparable(entries.field(name), name)
        some = entries.select().exists()
        empty = entries.select().where(term.is_(None)).exists()
        if value is None:
            return _null_only(op, or_(not_(some), empty), and_(some, not_(empty)))
        if op == CompareOperator.ne:
            return not_(entries.select().where(_equal(term, value)).exists())
        return entries.select().where(compare(self.dialect, term, op, value)).exists()

    def _narrowed(self, binding: AttributeBinding, op: CompareOperator, value: str | None) -> list[Predicate]:
        """Return the same comparison on an indexed column, where there is one; it may match too much, never too
        little."""
        if op != CompareOperator.eq or value is None or (key := self.shape.keys.get(names(binding)[0])) is None:
            return []
        return [key == (fold(value) if key.name == "name_key" else value)]

    def _scalar(self, binding: AttributeBinding) -> Term:
        path = names(binding)
        column = self.shape.column(path[0], path[1] if len(path) > 1 else None)
        return self.dialect.at(self.shape.table.c.folded, *path) if column is None else column

    def _leaves(self, binding: AttributeBinding) -> list[Term]:
        if binding.field_name == "meta" and binding.sub_field_name is None:
            return [self.shape.table.c.id]
        path = names(binding)
        if binding.sub_field_name is not None or not _is_model(binding.field_type):
            return [self._scalar(binding)]
        return [self.dialect.at(self.shape.table.c.folded, *path, name) for name in _leaf_names(binding) if name]

    def _entries(self, binding: AttributeBinding) -> Entries:
        path = names(binding)
        if path[0] == self.shape.joined:
            return self.shape.entries(self.dialect)
        self._lists += 1
        head = path[:-1] if binding.sub_field_name else path
        return JsonEntries(self.dialect, self.shape.table.c.folded, head, f"entries_{self._lists}")


class _EntryCompiler(_Boolean):
    """Predicates over one entry of a multi-valued attribute."""

    def __init__(self, bound: ScimFilter[Any], attribute: AttrPath, entries: Entries, dialect: Dialect) -> None:
        self.bound = bound
        self.attribute = attribute
        self.entries = entries
        self.dialect = dialect

    def visit_comparison(self, node: Comparison) -> Predicate:
        """Return the predicate of a comparison: false if the resource has no such attribute."""
        binding = self._bind(node.attr_path)
        name = _sub_name(binding)
        return compare(self.dialect, _comparable(self.entries.field(name), name), node.op, operand(binding, node))

    def visit_present(self, node: Present) -> Predicate:
        """Return the predicate of ``pr``: an attribute, a part of it or one of its entries has a value."""
        name = _sub_name(self._bind(node.attr_path))
        return _present(_comparable(self.entries.field(name), name))

    def visit_value_path(self, node: ValuePath) -> Predicate:
        raise InvalidFilterException(detail=f"a selection cannot be nested in another one: {node}")

    def _bind(self, inner: AttrPath) -> AttributeBinding:
        head = self.bound.resolve(self.attribute, strict=False)
        if head is not None and not _is_model(head.field_type) and inner.attr.lower() == "value":
            return head
        binding = self.bound.resolve(AttrPath(self.attribute.attr, inner.attr, self.attribute.uri), strict=False)
        if binding is None or inner.sub_attr is not None:
            raise InvalidFilterException(detail=f"`{self.attribute}` has no `{inner}`")
        return binding


def compare(dialect: Dialect, term: Term, op: CompareOperator, value: str | None) -> Predicate:
    """Return one comparison; ``value`` is None for null and already in comparable form."""
    if value is None:
        return _null_only(op, term.is_(None), term.is_not(None))
    if op == CompareOperator.eq:
        return _equal(term, value)
    if op == CompareOperator.ne:
        return not_(_equal(term, value))
    if op in (CompareOperator.co, CompareOperator.sw, CompareOperator.ew):
        return _part(dialect, term, op, value)
    ordered = dialect.ordered(term)
    tests = {
        CompareOperator.gt: ordered > value,
        CompareOperator.ge: ordered >= value,
        CompareOperator.lt: ordered < value,
        CompareOperator.le: ordered <= value,
    }
    return func.coalesce(tests[op], false())


def operand(binding: AttributeBinding, node: Comparison) -> str | None:
    """Return the value to compare with, in the form of the folded document. Raises InvalidFilterException."""
    if node.value is None:
        return None
    if isinstance(node.value, str) and not storable(node.value):
        raise InvalidFilterException(detail="a value holds characters that no attribute can hold")
    value = coerce_value(binding, node.value, node.op)
    whole = node.op in (CompareOperator.eq, CompareOperator.ne)
    return fold_value(value, case_exact=binding.case_exact, address=whole and names(binding) in ADDRESSES)


def storable(text: str) -> bool:
    """Return whether text can be stored: neither NUL nor half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _part(dialect: Dialect, term: Term, op: CompareOperator, value: str) -> Predicate:
    if not value:
        return term.is_not(None)
    tests = {CompareOperator.co: dialect.within, CompareOperator.sw: dialect.starts, CompareOperator.ew: dialect.ends}
    return func.coalesce(tests[op](term, value), false())


def _null_only(op: CompareOperator, equal: Predicate, different: Predicate) -> Predicate:
    return equal if op == CompareOperator.eq else different if op == CompareOperator.ne else false()


def _equal(term: Term, value: str) -> Predicate:
    if isinstance(term, Column) and not term.nullable:
        return term == value
    return func.coalesce(term == value, false())


def _present(term: Term) -> Predicate:
    return func.coalesce(term != "", false())


def _comparable(term: Term | None, name: str | None) -> Term:
    if term is None:
        raise InvalidFilterException(detail=f"`{name}` cannot be filtered on here")
    return term


def _sub_name(binding: AttributeBinding) -> str | None:
    return names(binding)[-1] if binding.sub_field_name else None


def _leaf_names(binding: AttributeBinding) -> list[str | None]:
    if binding.sub_field_name or not _is_model(binding.field_type):
        return [_sub_name(binding)]
    model: Any = binding.field_type
    return [model._scim_name(field) for field in model.model_fields]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
