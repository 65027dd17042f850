"""Explains what is wrong with a document's structure: pydantic's errors become problems."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from catalog.loading import Path, value_at
from catalog.suggestions import did_you_mean, nearest
from catalog.validation.error_recovery import existing
from catalog.validation.subject import Problem
from catalog.validation.wording import hint_for, other_key, shown, word_meant

MISSING_KEY, UNKNOWN_KEY, VALUE_TYPE = "missing-key", "unknown-key", "value-type"

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "mapping_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}


def explain(
    model: type[BaseModel], data: Mapping[str, Any], details: list[ErrorDetails]
) -> list[Problem]:
    """Return what is wrong with data that should fit a model, a problem for each error."""
    messages = StructureMessages(model, data)
    return [*messages.problems(details, {*messages.misspelt(details)})]


# How pydantic names the members of a union of scalars.
_MEMBERS = {("str",), ("int",), ("float",), ("bool",)}


class StructureMessages:
    """Explains the errors of data that should fit a model."""

    def __init__(self, model: type[BaseModel], data: Mapping[str, Any]) -> None:
        self._model = model
        self._data = data

    def problems(self, details: list[ErrorDetails], misspelt: set[Path]) -> Iterator[Problem]:
        """Yield a problem for each error, but for keys that are there under another spelling."""
        expected: dict[Path, list[str]] = {}
        for detail in details:
            path = tuple(detail["loc"])
            if detail["type"] == "missing" and path in misspelt:
                # It is there, under the unknown key that another finding names.
                continue
            if detail["type"] in _EXPECTED:
                where = existing(self._data, path)
                if where[-1:] in _MEMBERS and value_at(self._data, where) is None:
                    where = where[:-1]
                expected.setdefault(where, []).append(_EXPECTED[detail["type"]])
            else:
                yield self._one(detail, path)
        for path, words in expected.items():
            # A union names each of its members once per error.
            wanted, found = " or ".join(_kinds(words)), value_at(self._data, path)
            told = f"{_name(path)} must be {wanted}{shown(found)}"
            yield Problem(path, told, hint_for(wanted, found), rule=VALUE_TYPE)

    def misspelt(self, details: list[ErrorDetails]) -> Iterator[Path]:
        """Yield the paths that unknown keys were probably meant for."""
        for detail in details:
            path = tuple(detail["loc"])
            if detail["type"] == "extra_forbidden":
                meant = nearest(str(path[-1]), self._known_keys(path[:-1]))
                if meant:
                    yield (*path[:-1], meant)

    def _known_keys(self, path: Path) -> list[str]:
        return _known_keys(self._model, path)

    def _hint_for_key(self, path: Path, known: list[str]) -> str:
        key = str(path[-1])
        other = other_key(key, known)
        if other:
            return f"write {other}"
        for part in known:
            below = self._known_keys((*path[:-1], part))
            word = key if key in below else other_key(key, below)
            if word == key:
                return f"it belongs under {part}"
            if word:
                return f"write {word}, under {part}"
        return f"known here: {', '.join(known)}"

    def _one(self, detail: ErrorDetails, path: Path) -> Problem:
        key = str(path[-1]) if path else ""
        match detail["type"]:
            case "missing":
                return Problem(path, f"{_name(path)} is missing", rule=MISSING_KEY)
            case "extra_forbidden":
                known = self._known_keys(path[:-1])
                near = "" if other_key(key, known) else did_you_mean(key, known)
                hint = "" if near else self._hint_for_key(path, known)
                message = f"unknown key {key[:80]!r}{near}"
                return Problem(path, message, hint, at_key=True, rule=UNKNOWN_KEY)
            case "enum" | "literal_error":
                words = detail.get("ctx", {}).get("expected", "")
                found = value_at(self._data, path)
                told = f"{_name(path)} must be {words}, not {str(found)[:80]!r}"
                return Problem(path, told + word_meant(found, words), rule=VALUE_TYPE)
            case "union_tag_invalid" | "union_tag_not_found":
                words = str(detail.get("ctx", {}).get("expected_tags", "list, teams, http"))
                written = str(detail.get("ctx", {}).get("discriminator", "type"))
                key = written.rpartition("|")[2].strip(" '")
                told = f"{_name(path)} needs {key}, one of {words}"
                return Problem(existing(self._data, path), told, rule=VALUE_TYPE)
            case "too_long":
                limits = detail.get("ctx", {})
                told = f"has more than {limits.get('max_length')} entries; split it"
                return Problem(path, f"{_name(path)} {told}", rule=VALUE_TYPE)
            case _:
                where = existing(self._data, path)
                return Problem(where, f"{_name(path)}{_told(detail)}", rule=VALUE_TYPE)


def _kinds(words: list[str]) -> list[str]:
    """Return each kind once, a whole number only where no other one will do."""
    return [
        one for one in dict.fromkeys(words) if one != "a whole number" or "a number" not in words
    ]


_LIMITS = {
    "string_too_short": ("must have at least", "min_length", " characters"),
    "string_too_long": ("must have at most", "max_length", " characters"),
    "too_short": ("must have at least", "min_length", " entries"),
    "greater_than": ("must be more than", "gt", ""),
    "greater_than_equal": ("must be at least", "ge", ""),
    "less_than": ("must be less than", "lt", ""),
    "less_than_equal": ("must be at most", "le", ""),
    "union_tag_invalid": ("must be one of", "expected_tags", ""),
}


def _told(detail: ErrorDetails) -> str:
    """Return the end of a sentence about a value: in our own words, not in pydantic's."""
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return f": {detail['msg'].removeprefix('Value error, ')}"
    if kind in {"string_too_short", "too_short"} and limits.get("min_length") == 1:
        return " must not be empty"
    if kind in _LIMITS:
        words, key, unit = _LIMITS[kind]
        return f" {words} {limits.get(key)}{unit}"
    if kind.startswith(("datetime", "timezone")):
        return " must be a moment with its offset such as 2026-03-01T08:30:00Z"
    return " has a value that is not allowed here"


def _name(path: Path) -> str:
    """Describe a node for people: the last keys of its path, ``fields[2].type``."""
    shown = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[-3:]]
    return "".join(shown).lstrip(".") or "the document"


def _known_keys(outer: type[BaseModel], path: Path) -> list[str]:
    model: Any = outer
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = model_in(fields[part].annotation) if part in fields else None
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation names, alone or inside of others, or None."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    inner = (model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in inner if model is not None), None)
