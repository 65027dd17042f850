"""Values and how they become text, independent of templates and targets.

Values are JSON's, some of them wrapped as secret; ``Missing`` represents an absent value.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from catalog.templating.contract import MASK, FaultError, SecretValue
from catalog.templating.limits import (
    LARGEST_NUMBER,
    TEXT_BYTES,
    VALUE_DEPTH,
    Budget,
    too_deep,
    too_long,
)

_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Missing:
    """The value of a path that does not exist; ``path`` is the path as written."""

    path: str


class JsonText(str):
    """A result of json(): it is not escaped again in JSON."""

    __slots__ = ()


class WikiText(str):
    """A result of jiraEscape(): it is not escaped again in JIRA's markup."""

    __slots__ = ()


class UrlText(str):
    """A result of url(): it is not encoded again in a URL."""

    __slots__ = ()


class MaskText(str):
    """The mask in place of a secret; it is not escaped."""

    __slots__ = ()


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a value is a number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Return whether a value is a list."""
    return isinstance(value, list | tuple)


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a mapping."""
    return isinstance(value, Mapping)


def kind_of(value: Any) -> str:
    """Return the kind of a value with its article, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    if is_number(value):
        return "a number"
    if is_list(value):
        return "a list"
    return "a mapping" if is_mapping(value) else "something else"


def wrong_type(expected: str, value: Any) -> FaultError:
    """Return the fault of a value of the wrong kind."""
    return FaultError("template-type", f"{expected} is needed here, but it is {kind_of(value)}")


def truth(value: Any) -> bool:
    """Return whether a value counts as true."""
    if isinstance(value, SecretValue):
        return truth(value.value)
    return not isinstance(value, Missing) and bool(value)


def is_absent(value: Any) -> bool:
    """Return whether a value is missing, null or an empty text."""
    inner = value.value if isinstance(value, SecretValue) else value
    return inner is None or inner == "" or isinstance(inner, Missing)


def member(value: Any, key: Any) -> Any:
    """Return a member of a list or mapping, or Missing; a member of a secret is secret."""
    if isinstance(value, SecretValue):
        inner = member(value.value, key)
        return inner if isinstance(inner, Missing) else SecretValue(inner)
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if is_mapping(value):
        name = number_text(key) if is_number(key) else key
        return value[name] if isinstance(name, str) and name in value else Missing("it")
    if is_list(value) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if -len(value) <= key < len(value) else Missing("it")
    return Missing("it")


def equal(left: Any, right: Any, depth: int = 0) -> bool:
    """Return whether two values without secrets are the same, deeply; 1 is 1.0 and never "1"."""
    if depth > VALUE_DEPTH:
        raise too_deep("values", VALUE_DEPTH)
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(
            equal(one, other, depth + 1) for one, other in zip(left, right, strict=True)
        )
    if is_mapping(left) and is_mapping(right):
        return left.keys() == right.keys() and all(
            equal(left[key], right[key], depth + 1) for key in left
        )
    if is_number(left) and is_number(right):
        return left == right
    return kind_of(left) == kind_of(right) and bool(left == right)


def identity(value: Any, depth: int = 0) -> Any:
    """Return something hashable that is the same for equal values and differs for others."""
    if depth > VALUE_DEPTH:
        raise too_deep("values", VALUE_DEPTH)
    if is_list(value):
        return ("list", *(identity(item, depth + 1) for item in value))
    if is_mapping(value):
        return ("map", frozenset((key, identity(value[key], depth + 1)) for key in value))
    return ("number", value) if is_number(value) else (kind_of(value), value)


def has_secret(value: Any, budget: Budget) -> bool:
    """Return whether a value is secret or holds one that is."""
    if isinstance(value, SecretValue):
        return True
    waiting = [value]
    while waiting:
        members = _members(waiting.pop())
        budget.spend(1 + len(members))
        for inner in members:
            if isinstance(inner, SecretValue):
                return True
            if isinstance(inner, list | tuple | Mapping):
                waiting.append(inner)
    return False


def unwrap_secrets(value: Any, *, reveal: bool = True, depth: int = 0) -> Any:
    """Return a copy without wrappers: secrets in clear, or masked."""
    if depth > VALUE_DEPTH:
        raise too_deep("values", VALUE_DEPTH)
    if isinstance(value, SecretValue):
        return unwrap_secrets(value.value, depth=depth + 1) if reveal else MaskText(MASK)
    if is_list(value):
        return [unwrap_secrets(item, reveal=reveal, depth=depth + 1) for item in value]
    if is_mapping(value):
        return {key: unwrap_secrets(value[key], reveal=reveal, depth=depth + 1) for key in value}
    return value


def number_text(value: float) -> str:
    """Write a number: whole ones without a fraction, others in their shortest form."""
    try:
        return str(_normalize_number(value))
    except ValueError as error:
        raise FaultError("template-limit", "a number has too many digits to be written") from error


def text_of(value: Any, budget: Budget, separator: str = ", ") -> str:
    """Write a value without secrets as text, as the target none does."""
    if is_list(value):
        return join([item_text(item, budget) for item in value], separator)
    return item_text(value, budget)


def item_text(value: Any, budget: Budget) -> str:
    """Write an item of a list: lists and mappings in it as compact JSON."""
    budget.spend()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if is_number(value):
        return number_text(value)
    return json_text(value, budget)


def join(parts: list[str], separator: str) -> str:
    """Join texts; refuses a result that would be too long before building it."""
    size = sum(map(len, parts)) + len(separator) * max(0, len(parts) - 1)
    if size > TEXT_BYTES:
        raise too_long()
    return separator.join(parts)


def json_text(value: Any, budget: Budget, indent: int = 0) -> str:
    """Write a value without secrets as JSON: compact, or indented; non-ASCII is kept."""
    tree = json_tree(value, budget)
    separators = (",", ": ") if indent else (",", ":")
    try:
        text = json.dumps(tree, ensure_ascii=False, separators=separators, indent=indent or None)
    except ValueError as error:
        raise FaultError("template-limit", "a number has too many digits to be written") from error
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_tree(value: Any, budget: Budget) -> Any:
    """Return a fresh copy of a value made of JSON's own types, bounded in size and depth."""
    return _Copier(budget).copy(value, 0)


class _Copier:
    """Copies values, and stops when the copy would exceed the limit of a text."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._room = TEXT_BYTES

    def copy(self, value: Any, depth: int) -> Any:
        self._take(len(value) if isinstance(value, str) else 1)
        if depth > VALUE_DEPTH:
            raise too_deep("values", VALUE_DEPTH)
        if is_list(value):
            return [self.copy(item, depth + 1) for item in value]
        if is_mapping(value):
            return {self._key(key): self.copy(value[key], depth + 1) for key in value}
        if isinstance(value, str):
            return str(value)
        if value is None or isinstance(value, bool):
            return value
        if is_number(value):
            return _normalize_number(value)
        raise wrong_type("a value that JSON can hold", value)

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise wrong_type("a text as key", key)
        self._take(len(key))
        return str(key)

    def _take(self, size: int) -> None:
        self._budget.spend()
        self._room -= size
        if self._room < 0:
            raise too_long()


def _normalize_number(value: float) -> float:
    if isinstance(value, int):
        return int(value)
    if not abs(value) < float("inf"):
        raise FaultError("template-value", "a number is infinite or not a number")
    whole = value.is_integer() and abs(value) <= LARGEST_NUMBER
    return int(value) if whole else float(value)


def _members(value: Any) -> Collection[Any]:
    if is_mapping(value):
        return value.values()
    return value if is_list(value) else ()
