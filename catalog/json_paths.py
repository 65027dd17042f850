"""Evaluating JSONPath within bounds: patterns never backtrack, and steps and time are counted.

Paths come from documents and values from targets, so neither is trusted to be small. Evaluation is
synchronous and takes up to a second: call it in a thread.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonpath
from jsonpath.filter import BaseExpression, RegexLiteral, StringLiteral
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.match import JSONPathMatch
from jsonpath.parse import Parser
from jsonpath.segments import (
    JSONPathChildSegment,
    JSONPathRecursiveDescentSegment,
    JSONPathSegment,
)
from jsonpath.stream import TokenStream
from jsonpath.token import TOKEN_RE_FLAGS, Token

from catalog.patterns import Pattern, PatternError, compile_pattern

JSON_PATH = "json-path"
"""How a JSON Schema says that a text is one."""
MAX_PATH = 1000
# Far above any answer that people read from; a second's worth of work at most.
MAX_STEPS = 200_000
MAX_SECONDS = 1.0
CLOCK_EVERY = 256
# A pattern reads about this many characters in the time of one step.
CHARACTERS_PER_STEP = 256
MISSING = object()


class PathError(ValueError):
    """A path that is invalid, or that needs more work on a value than is allowed."""


class _Budget:
    """What one evaluation may still do; the clock is that of its own thread."""

    def __init__(self) -> None:
        self._steps = 0
        self._look_at = CLOCK_EVERY
        self._ends = time.thread_time() + MAX_SECONDS

    def spend(self, steps: int = 1) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise PathError(f"needs more than {MAX_STEPS:,} steps on this answer")
        if self._steps >= self._look_at:
            self._look_at = self._steps + CLOCK_EVERY
            if time.thread_time() > self._ends:
                raise PathError("takes too long on this answer")


_budget: ContextVar[_Budget | None] = ContextVar("jsonpath_budget", default=None)


def _spend(steps: int = 1) -> None:
    if (budget := _budget.get()) is not None:
        budget.spend(steps)


def check(path: str) -> None:
    """Raise ``PathError`` for an invalid or overlong JSONPath or a pattern that RE2 refuses."""
    _compile(path)


def first(path: str, value: Any) -> Any:
    """Return the first value at ``path``, or ``MISSING``; raises ``PathError``."""
    if not isinstance(value, dict | list):
        return value if path == "$" else MISSING
    compiled = _compile(path)
    try:
        with shared_budget():
            match = compiled.match(value)
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise PathError(f"cannot be evaluated on this answer: {_error_text(error)}") from error
    return MISSING if match is None else match.obj


def every(path: str, value: Any, *, most: int) -> list[Any]:
    """Return the values at ``path``, the first ``most`` of them; raises ``PathError``."""
    if not isinstance(value, dict | list):
        return [value] if path == "$" else []
    compiled = _compile(path)
    try:
        with shared_budget():
            return [match.obj for match in islice(compiled.finditer(value), most)]
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise PathError(f"cannot be evaluated on this answer: {_error_text(error)}") from error


@contextmanager
def shared_budget() -> Iterator[None]:
    """Share one budget among all evaluations inside."""
    if _budget.get() is not None:
        yield
        return
    token = _budget.set(_Budget())
    try:
        yield
    finally:
        _budget.reset(token)


@lru_cache(maxsize=256)
def _compile(path: str) -> Any:
    if len(path) > MAX_PATH:
        raise PathError(f"is longer than {MAX_PATH} characters; shorten it")
    try:
        return _ENVIRONMENT.compile(path)
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise PathError(f"is not a valid JSONPath: {_error_text(error)}") from error


def _error_text(error: Exception) -> str:
    return str(getattr(error, "message", "") or "it is nested too deeply")


def _pattern(pattern: str) -> Pattern:
    """Compile for RE2, which never backtracks; raises ``PathError``."""
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        raise PathError(f"has a pattern that {error}") from None


class _Pattern:
    """A pattern as the library's operator ``=~`` calls it."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.flags = 0
        wanted = "".join(flag for flag in "ims" if flag in flags)
        self._text = f"(?{wanted}){pattern}" if wanted else pattern
        _pattern(self._text)

    def fullmatch(self, text: str) -> bool:
        return _matches(self._text, text, whole=True)


def _matches(pattern: str, text: str, *, whole: bool) -> bool:
    _spend(1 + (len(text) + len(pattern)) // CHARACTERS_PER_STEP)
    compiled = _pattern(pattern)
    try:
        found = compiled.fullmatch(text) if whole else compiled.search(text)
    except UnicodeEncodeError:
        return False
    return found is not None


class _PatternFunction(FilterFunction):
    """The functions ``match`` and ``search`` of RFC 9535."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 -- the library's declaration
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        return _matches(pattern, value, whole=self._whole)


class _Child(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
        """Count what is looked at and what is found."""
        return _count(super().resolve(_count(nodes)))


class _Descent(JSONPathRecursiveDescentSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
        """Count what is found."""
        return _count(super().resolve(nodes))

    def _visit(self, node: JSONPathMatch, depth: int = 1) -> Iterator[JSONPathMatch]:
        # Every level of the recursion counts a node once: a step of the generator costs each.
        return _count(super()._visit(node, depth))


def _count(nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
    for node in nodes:
        _spend()
        yield node


class _Parser(Parser):
    def parse_query(self, stream: TokenStream) -> Iterator[JSONPathSegment]:
        """Put the counting segments in the place of the library's."""
        for one in super().parse_query(stream):
            descends = isinstance(one, JSONPathRecursiveDescentSegment)
            kind = _Descent if descends else _Child
            yield kind(env=one.env, token=one.token, selectors=one.selectors)

    def parse_regex(self, stream: TokenStream) -> BaseExpression:
        """Read a pattern literal for RE2."""
        pattern, flags = stream.current().value, ""
        if stream.peek().kind == TOKEN_RE_FLAGS:
            stream.next()
            flags = stream.next().value
        made: Any = _Pattern(pattern, flags)
        return RegexLiteral(value=made)


class _Environment(jsonpath.JSONPathEnvironment):
    parser_class = _Parser

    def setup_function_extensions(self) -> None:
        """Replace the functions that would use Python's backtracking engine."""
        super().setup_function_extensions()
        self.function_extensions["match"] = _PatternFunction(whole=True)
        self.function_extensions["search"] = _PatternFunction(whole=False)

    def validate_function_extension_signature(self, token: Token, args: list[Any]) -> list[Any]:
        """Compile a literal pattern, so that a bad one is refused before anything is sent."""
        checked = super().validate_function_extension_signature(token, args)
        if token.value in {"match", "search"} and isinstance(checked[1], StringLiteral):
            _pattern(checked[1].value)
        return checked

    def is_truthy(self, obj: object) -> bool:
        """Count an evaluation of a filter."""
        _spend()
        return super().is_truthy(obj)

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Count a comparison by the size of what is compared."""
        _spend(1 + _size(left) + _size(right))
        return super().compare(left, operator, right)


def _size(value: object) -> int:
    return len(value) if isinstance(value, dict | list) else 0


_ENVIRONMENT = _Environment()
