"""Checks a parsed template's names and functions, and resolves its paths."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.suggestions import nearest
from catalog.templating.contract import FaultError, Names
from catalog.templating.fast_path import Plan, plan_of
from catalog.templating.foreign_names import FUNCTION_MEANT
from catalog.templating.functions import FUNCTIONS, TESTS
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
    Template,
    Test,
    With,
)
from catalog.templating.resolver import BlockScope, PathResolver, ResolvedReference, Root

_LITERALS = (Literal, ListLiteral, MappingLiteral)


@dataclass(frozen=True, slots=True)
class LinkedTemplate:
    """A template that may run, with the resolution of every path at the path's number.

    ``plan`` is set where the fast path may be tried; ``functions`` are those that are called.
    """

    template: Template
    links: tuple[ResolvedReference, ...]
    plan: Plan | None = None
    functions: frozenset[str] = frozenset()

    def uses(self) -> list[tuple[str, ...]]:
        """Return what the template reads: the scope and the written way into it, each once."""
        found: dict[tuple[str, ...], None] = {}
        for link in self.links:
            if link.root is Root.SCOPE:
                path = [str(getattr(member, "value", "*")) for member in link.members]
                found[link.name, *path] = None
        return list(found)


class Linker:
    """Links one template; ``at`` is the offset of the tag that is being checked."""

    def __init__(self, names: Names) -> None:
        self._resolver = PathResolver(names)
        self._links: dict[int, ResolvedReference] = {}
        self._functions: set[str] = set()
        self.at = 0

    def link(self, template: Template) -> LinkedTemplate:
        """Return the linked template; raises FaultError for the first unknown name."""
        self._body(template.body, BlockScope())
        links = tuple(self._links[number] for number in range(template.references))
        plan = plan_of(template.body, links)
        return LinkedTemplate(template, links, plan, frozenset(self._functions))

    def _body(self, body: Body, scope: BlockScope) -> None:
        for block in body:
            self._block(block, scope)

    def _block(self, block: Block, scope: BlockScope) -> None:
        if isinstance(block, If):
            self._if(block, scope)
        elif isinstance(block, For):
            self._for(block, scope)
        elif isinstance(block, Interpolation):
            self.at = block.at
            self._expression(block.expression, scope)
        elif isinstance(block, Loop | With):
            self._item_block(block, scope)

    def _if(self, block: If, scope: BlockScope) -> None:
        for branch in block.branches:
            self.at = branch.at
            self._expression(branch.condition, scope)
            self._body(branch.body, scope.inside())
        self._body(block.otherwise, scope.inside())

    def _item_block(self, block: Loop | With, scope: BlockScope) -> None:
        self.at = block.at
        self._expression(block.subject, scope)
        if isinstance(block, With):
            variables = (block.variable,) if block.variable else ()
            inside = scope.inside(items=1, variables=variables)
        else:
            inside = scope.inside(items=1, loops=1, variables=block.variables)
        self._body(block.body, inside)
        self._body(block.otherwise, scope.inside())

    def _for(self, block: For, scope: BlockScope) -> None:
        self.at = block.at
        self._expression(block.subject, scope)
        if block.condition is not None:
            self._expression(block.condition, scope.inside(variables=block.variables))
        self._body(block.body, scope.inside(variables=(*block.variables, "loop")))
        self._body(block.otherwise, scope.inside())

    def _expression(self, node: Expression, scope: BlockScope) -> None:
        if isinstance(node, Reference):
            self._members(node.members, scope)
            link = self._resolver.resolve(node, scope)
            self._links[node.number] = link
            if link.root is Root.GENERATED:
                self._functions.add(link.name)
        elif isinstance(node, FunctionCall):
            self._call(node, len(node.arguments), scope)
        elif isinstance(node, Pipe):
            self._pipe(node, scope)
        elif isinstance(node, MemberAccess):
            self._expression(node.subject, scope)
            self._members(node.members, scope)
        else:
            self._all(_operands(node), scope)

    def _all(self, nodes: tuple[Expression, ...], scope: BlockScope) -> None:
        for node in nodes:
            self._expression(node, scope)

    def _members(self, members: tuple[Member, ...], scope: BlockScope) -> None:
        for member in members:
            if isinstance(member, Computed):
                self._expression(member.expression, scope)

    def _pipe(self, node: Pipe, scope: BlockScope) -> None:
        self._expression(node.subject, scope)
        for step in node.steps:
            if isinstance(step, Test):
                _check_test(step)
            else:
                self._call(step, len(step.arguments) + 1, scope)

    def _call(self, call: FunctionCall, count: int, scope: BlockScope) -> None:
        _check_call(call, count)
        self._functions.add(call.function)
        self._all(call.arguments, scope)


def _operands(node: Expression) -> tuple[Expression, ...]:
    found: tuple[Expression, ...] = ()
    if isinstance(node, ListLiteral):
        found = node.items
    elif isinstance(node, MappingLiteral):
        found = tuple(value for _, value in node.pairs)
    elif isinstance(node, Negation):
        found = (node.operand,)
    elif isinstance(node, Chain | Comparison):
        found = (node.first, *(operand for _, operand in node.rest))
    elif isinstance(node, Logic):
        found = node.operands
    elif isinstance(node, Conditional):
        found = (*(part for branch in node.branches for part in branch), node.otherwise)
    return found


def _check_call(call: FunctionCall, count: int) -> None:
    function = FUNCTIONS.get(call.function)
    if function is None:
        raise _unknown("function", call.function, FUNCTIONS)
    if count < function.least or (function.most is not None and count > function.most):
        least, most = function.least, function.most
        takes = f"{least} or more" if most is None else f"{least} to {most}"
        if least == most:
            takes = str(least)
        unit = "argument" if takes == "1" else "arguments"
        raise FaultError("template-arguments", f"{call.function} takes {takes} {unit}, not {count}")
    if call.spaced and not function.literal_first and _begins_with_literal(call.arguments):
        message = (
            f"{call.function} takes the value first; if the literal is meant to be it, "
            f"write {call.function}(.., ..)"
        )
        raise FaultError("template-arguments", message)


def _begins_with_literal(arguments: tuple[Expression, ...]) -> bool:
    if not arguments or not isinstance(arguments[0], _LITERALS):
        return False
    return any(not isinstance(argument, _LITERALS) for argument in arguments[1:])


def _check_test(test: Test) -> None:
    if test.name not in TESTS:
        raise _unknown("test", test.name, TESTS)


def _unknown(what: str, name: str, known: Iterable[str]) -> FaultError:
    meant = FUNCTION_MEANT.get(name) if what == "function" else None
    near = meant or nearest(name, known)
    return FaultError(
        "template-function", f"the {what} {name[:40]} is unknown", suggestion=near or ""
    )
