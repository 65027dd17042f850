"""Inspects a linked template without values: reports what can never work.

Every report is certain: a value of a kind that a function never takes, a member that cannot exist,
a comparison that never holds. What might work is left to the rendering.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from catalog.templating.absent_members import list_key_advice, list_member_advice, missing_path
from catalog.templating.constant_comparisons import Operand, comparison_problem, literal_text
from catalog.templating.diagnostics import LIST_MEMBER, UNDEFINED, Diagnostic
from catalog.templating.functions import FUNCTIONS, LAZY, OptionalArguments
from catalog.templating.functions.signatures import signature
from catalog.templating.linker import LinkedTemplate
from catalog.templating.nodes import (
    Block,
    Body,
    Chain,
    Comparison,
    Computed,
    Conditional,
    Expression,
    For,
    FunctionCall,
    If,
    Interpolation,
    ListLiteral,
    Literal,
    Logic,
    Loop,
    MappingLiteral,
    Member,
    MemberAccess,
    Negation,
    Pipe,
    Reference,
    Test,
    With,
)
from catalog.templating.resolver import ResolvedReference, Root
from catalog.templating.type_inference import element_of, member_of, nullable, result_of
from catalog.templating.value_types import (
    A_BOOLEAN,
    A_NUMBER,
    A_TEXT,
    LIST,
    MAPPING,
    MISSING,
    NOTHING,
    NULL,
    NUMBER,
    UNKNOWN,
    ValueShape,
    describe_kinds,
    either,
    mapping_of,
    shape_of,
)

# The tests that a missing value does not break.
_EXISTENCE_TESTS = frozenset({"defined", "undefined"})
_ITERABLE = LIST | MAPPING | NULL | MISSING
_MOST_SHOWN = 80


@dataclass(slots=True)
class _EnclosingBlocks:
    """The loop items and variables of the blocks around a place."""

    items: list[ValueShape] = field(default_factory=list)
    variables: dict[str, ValueShape] = field(default_factory=dict)


class TemplateInspector:
    """Inspects one template; ``diagnostics`` holds what was found."""

    def __init__(self, linked: LinkedTemplate, scopes: Mapping[str, ValueShape]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._linked = linked
        self._scopes = scopes
        self._enclosing = _EnclosingBlocks()
        # What to write for members that a list never has, by their expression.
        self._advice: dict[int, tuple[str, str]] = {}
        self.at = 0
        self._workers: dict[type, Callable[[Any], ValueShape]] = {
            Literal: lambda node: shape_of(node.value),
            ListLiteral: self._list,
            MappingLiteral: self._mapping,
            Reference: self._reference,
            MemberAccess: lambda node: self._members(self._shape(node.subject), node.members),
            FunctionCall: lambda node: self._call_result(node, node.function, node.arguments),
            Pipe: self._pipe,
            Negation: self._negation,
            Chain: self._chain,
            Comparison: self._comparison,
            Logic: lambda node: nullable(either([self._shape(one) for one in node.operands])),
            Conditional: self._conditional,
        }

    def inspect(self) -> ValueShape:
        """Inspect the whole template; return the shape of the result in the target none."""
        template = self._linked.template
        if template.single and isinstance(template.body[0], Interpolation):
            return self._output(template.body[0])
        self._body(template.body)
        return A_TEXT

    def _body(self, body: Body) -> None:
        for block in body:
            self._block(block)

    def _block(self, block: Block) -> None:
        if isinstance(block, Interpolation):
            self._output(block)
        elif isinstance(block, If):
            for branch in block.branches:
                self.at = branch.at
                self._shape(branch.condition)
                self._body(branch.body)
            self._body(block.otherwise)
        elif isinstance(block, With):
            self._with(block)
        elif isinstance(block, Loop):
            self._loop(block)
        elif isinstance(block, For):
            self._for(block)

    def _output(self, block: Interpolation) -> ValueShape:
        self.at = block.at
        return self._value(block.expression)

    def _with(self, block: With) -> None:
        self.at = block.at
        shape = self._shape(block.subject)
        # Nothing is rendered with a subject that is missing.
        inner = UNKNOWN if shape.is_missing else shape
        with self._enter_block({block.variable: inner} if block.variable else {}, item=inner):
            self._body(block.body)
        self._body(block.otherwise)

    def _loop(self, block: Loop) -> None:
        subject = self._subject(block.at, block.subject)
        item = element_of(subject)
        # With two variables the first is the key or index.
        variables = dict(zip(block.variables[::-1], (item, UNKNOWN), strict=False))
        with self._enter_block(variables, item=item):
            self._body(block.body)
        self._body(block.otherwise)

    def _for(self, block: For) -> None:
        subject = self._subject(block.at, block.subject)
        single = len(block.variables) == 1
        item = UNKNOWN if subject.can_be(MAPPING) or not single else element_of(subject)
        with self._enter_block(dict.fromkeys(block.variables, item)):
            if block.condition is not None:
                self._shape(block.condition)
            self._enclosing.variables["loop"] = UNKNOWN
            self._body(block.body)
        self._body(block.otherwise)

    def _subject(self, at: int, subject: Expression) -> ValueShape:
        self.at = at
        shape = self._shape(subject)
        if not shape.present_kinds & _ITERABLE:
            self._report_wrong_type("a loop needs a list or a mapping", subject, shape)
        return shape

    @contextmanager
    def _enter_block(
        self, variables: dict[str, ValueShape], item: ValueShape | None = None
    ) -> Iterator[None]:
        outer = self._enclosing
        items = outer.items if item is None else [*outer.items, item]
        self._enclosing = _EnclosingBlocks(items, outer.variables | variables)
        yield
        self._enclosing = outer

    def _shape(self, node: Expression) -> ValueShape:
        return self._workers[type(node)](node)

    def _value(self, node: Expression) -> ValueShape:
        """Return the shape of a value that must exist."""
        shape = self._shape(node)
        if shape.is_missing:
            self._report_missing(node)
        return shape

    def _report_missing(self, node: Expression) -> None:
        """Report a path that does not exist, with the nearest one that does."""
        advice: tuple[str, str] = (f"{_source_text(node)} is missing", "")
        if id(node) in self._advice:
            # The warning becomes an error where the value must exist.
            advice = self._advice[id(node)]
            warning = Diagnostic(LIST_MEMBER, advice[0], self.at, advice[1])
            self.diagnostics = [one for one in self.diagnostics if one != warning]
        elif isinstance(node, Reference):
            link = self._linked.links[node.number]
            advice = missing_path(node, self._root(link), link.members)
        self._report(UNDEFINED, *advice)

    def _warn_list_member(self, node: Expression, advice: tuple[str, str]) -> ValueShape:
        """Warn of a member that a list never has."""
        self._advice[id(node)] = advice
        self._report(LIST_MEMBER, *advice)
        return NOTHING

    def _list(self, node: ListLiteral) -> ValueShape:
        return ValueShape(LIST, item=either([self._value(item) for item in node.items]))

    def _mapping(self, node: MappingLiteral) -> ValueShape:
        return mapping_of({key: self._value(value) for key, value in node.pairs})

    def _reference(self, node: Reference) -> ValueShape:
        link = self._linked.links[node.number]
        root = self._root(link)
        advice = list_member_advice(node, root, link.members)
        return self._warn_list_member(node, advice) if advice else self._members(root, link.members)

    def _root(self, link: ResolvedReference) -> ValueShape:
        if link.root is Root.SCOPE:
            return self._scopes.get(link.name, UNKNOWN)
        if link.root is Root.ITEM:
            return self._enclosing.items[-1 - link.level]
        if link.root is Root.VARIABLE:
            return self._enclosing.variables.get(link.name, UNKNOWN)
        if link.root is Root.GENERATED:
            return A_TEXT if link.name == "uuid" else A_NUMBER
        return UNKNOWN

    def _members(self, shape: ValueShape, members: tuple[Member, ...]) -> ValueShape:
        for member in members:
            if isinstance(member, Computed):
                self._value(member.expression)
                shape = UNKNOWN if shape.can_be(LIST | MAPPING) else NOTHING
            else:
                shape = member_of(shape, member.value)
        return shape

    def _pipe(self, node: Pipe) -> ValueShape:
        subject: Expression = node.subject
        shape = self._shape(subject)
        for step in node.steps:
            if isinstance(step, Test):
                if step.name not in _EXISTENCE_TESTS and id(subject) in self._advice:
                    self._report_missing(subject)
                shape = A_BOOLEAN
            else:
                piped = (shape, subject)
                shape = self._call_result(node, step.function, step.arguments, piped)
            subject = node
        return shape

    def _call_result(
        self,
        node: FunctionCall | Pipe,
        name: str,
        arguments: tuple[Expression, ...],
        piped: tuple[ValueShape, Expression] | None = None,
    ) -> ValueShape:
        given = [(self._shape(one), one) for one in arguments]
        if piped:
            given = [*given, piped] if name == "printf" else [piped, *given]
        if name not in FUNCTIONS or len(given) < FUNCTIONS[name].least:
            # Another finding says so.
            return UNKNOWN
        if name in LAZY:
            return A_BOOLEAN if name == "not" else nullable(either([one for one, _ in given]))
        if message := list_key_advice(name, given):
            return self._warn_list_member(node, (message, ""))
        self._check_arguments(name, given)
        return result_of(name, [shape for shape, _ in given])

    def _check_arguments(self, name: str, arguments: list[tuple[ValueShape, Expression]]) -> None:
        optional, takes = FUNCTIONS[name].optional, signature(name).takes
        for position, (shape, node) in enumerate(arguments):
            may_miss = optional is OptionalArguments.ALL or (
                optional is OptionalArguments.FIRST and position == 0
            )
            is_demanded = not may_miss or (name == "required" and id(node) in self._advice)
            if shape.is_missing and is_demanded:
                self._report_missing(node)
            elif takes and not may_miss:
                kinds = takes[min(position, len(takes) - 1)]
                if not shape.present_kinds & kinds:
                    self._report_wrong_type(f"{name} needs {describe_kinds(kinds)}", node, shape)

    def _report_wrong_type(self, needed: str, node: Expression, shape: ValueShape) -> None:
        if not shape.is_missing:
            message = f"{needed}, but {_source_text(node)} is {describe_kinds(shape.present_kinds)}"
            self._report("template-type", message)

    def _negation(self, node: Negation) -> ValueShape:
        if node.operator == "not":
            self._shape(node.operand)
            return A_BOOLEAN
        self._operand("-", node.operand)
        return A_NUMBER

    def _chain(self, node: Chain) -> ValueShape:
        signs = [sign for sign, _ in node.rest]
        operands = [node.first, *(operand for _, operand in node.rest)]
        for sign, operand in zip([signs[0], *signs], operands, strict=True):
            if sign == "~":
                self._value(operand)
            else:
                self._operand(sign, operand)
        return A_TEXT if signs[-1] == "~" else A_NUMBER

    def _operand(self, sign: str, operand: Expression) -> None:
        shape = self._value(operand)
        if not shape.present_kinds & NUMBER:
            self._report_wrong_type(f"{sign} works on numbers", operand, shape)

    def _comparison(self, node: Comparison) -> ValueShape:
        left = self._side(node.first)
        for sign, operand in node.rest:
            right = self._side(operand)
            both_there = not (left.shape.is_missing or right.shape.is_missing)
            problem = comparison_problem(sign, left, right) if both_there else None
            if problem:
                self._report(*problem)
            left = right
        return A_BOOLEAN

    def _side(self, node: Expression) -> Operand:
        shape = self._value(node)
        if isinstance(node, Literal):
            return Operand(literal_text(node.value), shape, is_literal=True, value=node.value)
        return Operand(_source_text(node), shape)

    def _conditional(self, node: Conditional) -> ValueShape:
        shapes = []
        for value, condition in node.branches:
            self._shape(condition)
            shapes.append(self._shape(value))
        return nullable(either([*shapes, self._shape(node.otherwise)]))

    def _report(self, code: str, message: str, suggestion: str = "") -> None:
        self.diagnostics.append(Diagnostic(code, message, self.at, suggestion))


def _source_text(node: Expression) -> str:
    if isinstance(node, Reference):
        return node.text[:_MOST_SHOWN]
    return literal_text(node.value) if isinstance(node, Literal) else "this"
