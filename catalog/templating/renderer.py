"""Renders a linked template: walks its blocks and writes their output."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.templating.contract import (
    PLACES,
    SETTINGS,
    WHOLE,
    Escaping,
    FaultError,
    Names,
    SecretValue,
)
from catalog.templating.evaluation import Evaluator, LoopState, present
from catalog.templating.linker import LinkedTemplate
from catalog.templating.nodes import (
    Body,
    Expression,
    For,
    If,
    Interpolation,
    Loop,
    Reference,
    Text,
    With,
)
from catalog.templating.resolver import Root
from catalog.templating.taint import Learn, TaintTracker
from catalog.templating.values import (
    Missing,
    has_secret,
    is_list,
    is_mapping,
    text_of,
    truth,
    unwrap_secrets,
    wrong_type,
)
from catalog.templating.writer import Writer
from catalog.templating.writers import WRITERS

_PAIR = 2
# Values of these types hold no secret.
_SCALARS = frozenset({str, int, float, bool, type(None)})


class Renderer:
    """Renders one template once; ``at`` is the offset of the current tag."""

    def __init__(
        self,
        linked: LinkedTemplate,
        scopes: Mapping[str, Any],
        names: Names,
        *,
        reveal: bool,
        learn: Learn | None = None,
    ) -> None:
        self._template = linked.template
        self._tainted = TaintTracker(learn)
        self._tracks_secrets = self._tainted.is_enabled
        self._evaluator = Evaluator(linked.links, scopes, names, self._tainted)
        self._reveal = reveal
        self._target = Escaping.NONE
        self._writer: Writer = Writer(self._evaluator.budget)
        self.at = 0
        self._workers: dict[type, Callable[[Any], None]] = {
            Text: self._text,
            Interpolation: self._output,
            If: self._if,
            With: self._with,
            Loop: self._loop,
            For: self._for,
        }

    def render(self, target: Escaping) -> Any:
        """Return the text, or in the target none the typed value of a single value tag."""
        if target is Escaping.NONE and self._template.single:
            return self._single()
        self._target = target
        self._writer = WRITERS[target](self._evaluator.budget)
        self._body(self._template.body)
        self._tainted.text()
        self.at = 0
        return self._writer.result()

    def truth(self) -> bool:
        """Return whether the value of a single value tag counts as true."""
        return truth(self._evaluator.evaluate(self._expression()))

    def _single(self) -> Any:
        given = self._evaluator.value(self._expression())
        value = unwrap_secrets(given, reveal=self._reveal)
        if self._tainted.is_enabled and has_secret(given, self._evaluator.budget):
            self._tainted.output(given, value if isinstance(value, str) else "")
        return _without_markers(value)

    def _expression(self) -> Expression:
        (block,) = self._template.body
        if not isinstance(block, Interpolation):
            raise FaultError("template-syntax", "one value is expected")
        return block.expression

    def _body(self, body: Body) -> None:
        workers = self._workers
        for block in body:
            workers[type(block)](block)

    def _text(self, block: Text) -> None:
        if self._tracks_secrets:
            self._tainted.text()
        self._writer.text(block.text)

    def _output(self, block: Interpolation) -> None:
        self.at = block.at
        given = self._evaluator.value(block.expression)
        secret = type(given) not in _SCALARS and has_secret(given, self._evaluator.budget)
        value = unwrap_secrets(given, reveal=self._reveal) if secret else given
        before = self._writer.parts if secret else 0
        ours = self._is_trusted(block.expression)
        if self._is_raw(ours=ours):
            self._writer.text(text_of(value, self._evaluator.budget))
        elif ours:
            self._writer.trusted_value(value)
        else:
            self._writer.value(value)
        if secret:
            self._tainted.output(given, self._writer.since(before))
        elif self._tracks_secrets:
            self._tainted.text()

    def _is_raw(self, *, ours: bool) -> bool:
        """Return whether a value is written as it is: a whole address, or the beginning of a URL.

        In an operator's settings, what the operator or author has set may stand anywhere.
        """
        if self._target in WHOLE and self._template.single:
            return True
        return ours and (self._writer.empty or self._target in SETTINGS)

    def _is_trusted(self, expression: Expression) -> bool:
        """Return whether the operator or author has set this value, which is part of a place."""
        if self._target not in PLACES or not isinstance(expression, Reference):
            return False
        link = self._evaluator.link_of(expression)
        return link.root is Root.SCOPE and link.name in ("metadata", "environment", "secrets")

    def _if(self, block: If) -> None:
        for branch in block.branches:
            self.at = branch.at
            if truth(self._evaluator.evaluate(branch.condition)) != branch.negated:
                self._body(branch.body)
                return
        self._body(block.otherwise)

    def _with(self, block: With) -> None:
        self.at = block.at
        value = self._evaluator.evaluate(block.subject)
        if not truth(value):
            self._body(block.otherwise)
            return
        variables = {block.variable: value} if block.variable else {}
        before = self._writer.parts
        self._render_inside(block.body, variables, item=(value,))
        self._learn_block(value, before)

    def _learn_block(self, subject: Any, before: int) -> None:
        """Learn the whole output of a block over a secret."""
        if self._tainted.is_enabled and isinstance(subject, SecretValue):
            self._tainted.block(self._writer.since(before))

    def _loop(self, block: Loop) -> None:
        self.at = block.at
        subject = self._evaluator.evaluate(block.subject)
        pairs, before = self._pairs(subject), self._writer.parts
        values, names, last = self._evaluator, block.variables[::-1], len(pairs) - 1
        for index, (key, value) in enumerate(pairs):
            values.budget.iterate()
            variables = dict(zip(names, (value, key), strict=False)) if names else {}
            values.loops.append(LoopState(index, key, first=index == 0, last=index == last))
            self._render_inside(block.body, variables, item=(value,))
            values.loops.pop()
        if not pairs:
            self._body(block.otherwise)
        else:
            self._learn_block(subject, before)

    def _pairs(self, value: Any) -> list[tuple[Any, Any]]:
        """Return keys and values of what a loop iterates over; those of a secret are secret."""
        if isinstance(value, SecretValue):
            pairs = self._pairs_of(value.value)
            return [(key, SecretValue(found)) for key, found in pairs]
        return self._pairs_of(value)

    def _pairs_of(self, value: Any) -> list[tuple[Any, Any]]:
        if value is None or isinstance(value, Missing):
            return []
        if is_list(value):
            return list(enumerate(value))
        if not is_mapping(value):
            raise wrong_type("a list or mapping to loop over", value)
        is_form = value is self._evaluator.scope("fields")
        return [(key, found) for key, found in value.items() if found is not None or not is_form]

    def _for(self, block: For) -> None:
        self.at = block.at
        subject = self._evaluator.evaluate(block.subject)
        chosen, before = self._matching_iterations(block, subject), self._writer.parts
        count = len(chosen)
        for index, variables in enumerate(chosen):
            self._evaluator.budget.iterate()
            loop = {
                "index": index + 1,
                "index0": index,
                "first": index == 0,
                "last": index == count - 1,
                "length": count,
            }
            self._render_inside(block.body, variables | {"loop": loop})
        if not chosen:
            self._body(block.otherwise)
        else:
            self._learn_block(subject, before)

    def _matching_iterations(self, block: For, subject: Any) -> list[dict[str, Any]]:
        """Return the variables of every iteration that meets the loop's condition."""
        found = []
        for item in self._items(subject):
            variables = _unpack(block.variables, item)
            if block.condition is None:
                found.append(variables)
                continue
            self._evaluator.budget.iterate()
            with_outer = self._evaluator.variables
            self._evaluator.variables = with_outer | variables
            if truth(self._evaluator.evaluate(block.condition)):
                found.append(variables)
            self._evaluator.variables = with_outer
        return found

    def _items(self, value: Any) -> list[Any]:
        inner = value.value if isinstance(value, SecretValue) else value
        pairs = self._pairs_of(inner)
        found = [pair[0] for pair in pairs] if is_mapping(inner) else [pair[1] for pair in pairs]
        return [SecretValue(item) for item in found] if inner is not value else found

    def _render_inside(
        self, body: Body, variables: dict[str, Any], *, item: tuple[Any, ...] = ()
    ) -> None:
        values = self._evaluator
        outer = values.variables
        if variables:
            values.variables = outer | variables
        values.items.extend(item)
        self._body(body)
        if item:
            values.items.pop()
        values.variables = outer


def _unpack(names: tuple[str, ...], item: Any) -> dict[str, Any]:
    if len(names) == 1:
        return {names[0]: item}
    inner = item.value if isinstance(item, SecretValue) else item
    if not is_list(inner) or len(inner) != _PAIR:
        raise FaultError("template-type", "two variables need items that are lists of two")
    first, second = (SecretValue(one) for one in inner) if inner is not item else inner
    return {names[0]: first, names[1]: second}


def _without_markers(value: Any) -> Any:
    """Return the value with plain texts, without their markers."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [_without_markers(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_markers(found) for key, found in value.items()}
    return present(value)
