"""Evaluates expressions with scopes, items and variables; all work counts against the budget.

Secrets stay wrapped: an operator or a function that sees one returns a secret.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from catalog.templating import operators
from catalog.templating.contract import FaultError, Names, SecretValue
from catalog.templating.functions import FUNCTIONS, LAZY, Function, OptionalArguments
from catalog.templating.functions.generation import format_time, moment, timestamp, uuid
from catalog.templating.limits import Budget, fits
from catalog.templating.names import SYSTEM_MEMBERS
from catalog.templating.nodes import (
    Chain,
    Comparison,
    Computed,
    Conditional,
    Expression,
    FunctionCall,
    Key,
    ListLiteral,
    Literal,
    Logic,
    MappingLiteral,
    Member,
    MemberAccess,
    Negation,
    Pipe,
    Reference,
    Test,
)
from catalog.templating.resolver import ResolvedReference, Root
from catalog.templating.taint import TaintTracker
from catalog.templating.values import (
    Missing,
    has_secret,
    is_list,
    is_mapping,
    is_number,
    member,
    truth,
    unwrap_secrets,
)

_MISSING = Missing("it")
# A function may process a whole megabyte, so the clock is checked before each.
_STEPS_OF_A_CALL = 1000


@dataclass(slots=True)
class LoopState:
    """The values of ``@index`` and the like."""

    index: int
    key: Any
    first: bool
    last: bool


class Evaluator:
    """Evaluates expressions; the renderer keeps its items, loops and variables."""

    def __init__(
        self,
        links: Sequence[ResolvedReference],
        scopes: Mapping[str, Any],
        names: Names,
        tainted: TaintTracker | None = None,
    ) -> None:
        self.budget = Budget()
        self._tainted = tainted or TaintTracker(None)
        self.items: list[Any] = []
        self.loops: list[LoopState] = []
        self.variables: dict[str, Any] = {}
        self._links = links
        self._raw_scopes = scopes
        self._names = names
        self._scopes: dict[str, Any] = {}
        self._workers: dict[type, Callable[[Any], Any]] = {
            Literal: self._literal,
            ListLiteral: self._list,
            MappingLiteral: self._mapping,
            Reference: self._reference,
            MemberAccess: self._access,
            FunctionCall: self._call,
            Pipe: self._pipe,
            Negation: self._negation,
            Chain: self._chain,
            Comparison: self._comparison,
            Logic: self._logic,
            Conditional: self._conditional,
        }

    def request_id(self) -> str:
        """Return the request's id."""
        return self._request_member("id")

    def request_time(self) -> str:
        """Return the request's time."""
        return self._request_member("timestamp")

    def _request_member(self, name: str) -> str:
        value = member(self.scope("request"), name)
        if not isinstance(value, str):
            raise FaultError("template-undefined", f"request.{name} is missing")
        return value

    def scope(self, name: str) -> Any:
        """Return a scope; fields without a value are null in it, and system is complete."""
        if name not in self._scopes:
            given = self._raw_scopes.get(name)
            self._scopes[name] = self._complete_scope(name, {} if given is None else given)
        return self._scopes[name]

    def _complete_scope(self, name: str, given: Any) -> Any:
        if name == "fields" and not self._names.fields <= given.keys():
            order = [field for fields in self._names.groups.values() for field in fields]
            return dict.fromkeys(order) | dict(given)
        if name == "system" and not given.keys() >= set(SYSTEM_MEMBERS):
            return self._system_values() | dict(given)
        return given

    def _system_values(self) -> dict[str, Any]:
        request = self.scope("request")
        found: dict[str, Any] = {}
        if "timestamp" in request:
            when = moment(self.request_time()).astimezone(UTC)
            found = {
                "timestamp": timestamp(self),
                "datetime": format_time(when, "%Y-%m-%dT%H:%M:%SZ"),
                "date": format_time(when, "%Y-%m-%d"),
                "time": format_time(when, "%H:%M:%S"),
            }
        return found | ({"uuid": uuid(self)} if "id" in request else {})

    def value(self, node: Expression) -> Any:
        """Return an expression's value; raises template-undefined if it is missing."""
        return present(self.evaluate(node))

    def evaluate(self, node: Expression) -> Any:
        """Return an expression's value, or Missing."""
        return self._workers[type(node)](node)

    def link_of(self, node: Reference) -> ResolvedReference:
        """Return the value of a path."""
        return self._links[node.number]

    def _literal(self, node: Literal) -> Any:
        return node.value

    def _list(self, node: ListLiteral) -> Any:
        return [self.value(item) for item in node.items]

    def _mapping(self, node: MappingLiteral) -> Any:
        return {key: self.value(value) for key, value in node.pairs}

    def _reference(self, node: Reference) -> Any:
        self.budget.spend()
        link = self._links[node.number]
        found = self._root(link)
        for number, step in enumerate(link.members):
            # Nearly all members are keys of mappings.
            if type(step) is Key and type(found) is dict and type(step.value) is str:
                found = found.get(step.value, _MISSING)
            else:
                found = self._members(found, link.members[number:])
                break
        if isinstance(found, Missing):
            return Missing(node.text)
        if link.name == "secrets" and link.root is Root.SCOPE:
            return found if isinstance(found, SecretValue) else SecretValue(found)
        return found

    def _root(self, link: ResolvedReference) -> Any:
        if link.root is Root.SCOPE:
            return self.scope(link.name)
        if link.root is Root.ITEM:
            return self.items[-1 - link.level]
        if link.root is Root.VARIABLE:
            return self.variables[link.name]
        if link.root is Root.LOOP:
            return getattr(self.loops[-1 - link.level], link.name)
        return uuid(self) if link.name == "uuid" else timestamp(self)

    def _access(self, node: MemberAccess) -> Any:
        found = self._members(self.evaluate(node.subject), node.members)
        return Missing("a member") if isinstance(found, Missing) else found

    def _members(self, value: Any, members: tuple[Member, ...]) -> Any:
        for step in members:
            if isinstance(step, Computed):
                value = self._computed_member(value, self.value(step.expression))
            else:
                value = member(value, step.value)
        return value

    def _computed_member(self, value: Any, key: Any) -> Any:
        if not isinstance(key, SecretValue):
            return member(value, key)
        found = member(value, key.value)
        return found if isinstance(found, Missing | SecretValue) else SecretValue(found)

    def _call(self, node: FunctionCall) -> Any:
        if node.function in LAZY:
            return self._logic_of(node.function, node.arguments)
        return self._apply(node.function, [self.evaluate(one) for one in node.arguments])

    def _pipe(self, node: Pipe) -> Any:
        value = self.evaluate(node.subject)
        for step in node.steps:
            if isinstance(step, Test):
                value = _passes_test(step.name, value) != step.negated
            elif step.function in LAZY:
                value = self._logic_of(step.function, (Literal(value), *step.arguments))
            else:
                rest = [self.evaluate(one) for one in step.arguments]
                is_printf = step.function == "printf"
                value = self._apply(step.function, [*rest, value] if is_printf else [value, *rest])
        return value

    def _apply(self, name: str, arguments: list[Any]) -> Any:
        self.budget.spend(_STEPS_OF_A_CALL)
        function = FUNCTIONS[name]
        _check_present(function, arguments)
        secret = not function.structural and any(
            has_secret(argument, self.budget) for argument in arguments
        )
        if secret:
            arguments = [unwrap_secrets(argument) for argument in arguments]
        result = _call_function(function.call, self, *arguments)
        if not secret:
            return result
        self._tainted.result(result)
        return SecretValue(result)

    def _logic_of(self, name: str, operands: tuple[Expression, ...]) -> Any:
        if name == "not":
            return not truth(self.evaluate(operands[0]))
        return self._short_circuit(name, operands)

    def _logic(self, node: Logic) -> Any:
        return self._short_circuit(node.operator, node.operands)

    def _short_circuit(self, operator: str, operands: tuple[Expression, ...]) -> Any:
        value = None
        for operand in operands:
            value = self.evaluate(operand)
            if truth(value) == (operator == "or"):
                break
        return None if isinstance(value, Missing) else value

    def _negation(self, node: Negation) -> Any:
        if node.operator == "not":
            return not truth(self.evaluate(node.operand))
        return self._apply_operator(operators.negate, self.value(node.operand))

    def _chain(self, node: Chain) -> Any:
        value = self.value(node.first)
        for sign, operand in node.rest:
            right = self.value(operand)
            value = self._apply_operator(_arithmetic(sign, self.budget), value, right)
        return value

    def _comparison(self, node: Comparison) -> Any:
        left: Any = self.value(node.first)
        result: Any = True
        for sign, operand in node.rest:
            right = self.value(operand)
            result = self._apply_operator(_comparison_operator(sign), left, right)
            if not truth(result):
                break
            left = right
        return result

    def _apply_operator(self, work: Callable[..., Any], *operands: Any) -> Any:
        self.budget.spend()
        if not any(has_secret(operand, self.budget) for operand in operands):
            return work(*operands)
        return SecretValue(work(*(unwrap_secrets(operand) for operand in operands)))

    def _conditional(self, node: Conditional) -> Any:
        for value, condition in node.branches:
            if truth(self.evaluate(condition)):
                return self.evaluate(value)
        return self.evaluate(node.otherwise)


def present(value: Any) -> Any:
    """Return the value; raises template-undefined if it is missing."""
    if isinstance(value, Missing):
        raise FaultError("template-undefined", f"{value.path[:80]} is missing")
    return value


def _call_function(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        result = call(*arguments)
    except UnicodeError as error:
        raise FaultError("template-value", "a text contains an unpaired surrogate") from error
    return fits(result) if isinstance(result, str) else result


def _check_present(function: Function, arguments: list[Any]) -> None:
    if function.optional is OptionalArguments.ALL:
        return
    for argument in arguments[1 if function.optional is OptionalArguments.FIRST else 0 :]:
        present(argument)


def _arithmetic(sign: str, budget: Budget) -> Callable[[Any, Any], Any]:
    return lambda left, right: operators.combine(sign, left, right, budget)


def _comparison_operator(sign: str) -> Callable[[Any, Any], Any]:
    return lambda left, right: operators.holds(sign, left, right)


def _passes_test(test: str, value: Any) -> bool:
    if test in ("defined", "undefined"):
        return isinstance(value, Missing) == (test == "undefined")
    inner = present(value)
    inner = inner.value if isinstance(inner, SecretValue) else inner
    return _TESTS[test](inner)


_TESTS: dict[str, Callable[[Any], bool]] = {
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": is_number,
    "boolean": lambda value: isinstance(value, bool),
    "mapping": is_mapping,
    "sequence": is_list,
}
