"""Explains what is wrong with a document's structure: pydantic's errors become problems."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from catalog.loading import Path, value_at
from catalog.suggestions import did_you_mean, nearest
from catalog.validation.configuration_messages import place_of
from catalog.validation.error_recovery import existing
from catalog.validation.foreign_words import PLACES
from catalog.validation.hints import (
    did_you_mean_word,
    foreign_key_hint,
    found_text,
    suggest_action_type,
    translate_key,
    wrong_type_hint,
)
from catalog.validation.subject import ActionSchema, Problem
from pao.runtime.model_errors import KINDS, message_of

MISSING_KEY, UNKNOWN_KEY, VALUE_TYPE = "missing-key", "unknown-key", "value-type"

_SHOWN_KEYS = 3


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

    def __init__(
        self,
        model: type[BaseModel],
        data: Mapping[str, Any],
        known_actions: Mapping[str, ActionSchema] = types.MappingProxyType({}),
    ) -> None:
        self._model = model
        self._data = data
        self._known_actions = known_actions

    def problems(self, details: list[ErrorDetails], misspelt: set[Path]) -> Iterator[Problem]:
        """Yield a problem for each error, but for keys that are there under another spelling."""
        expected: dict[Path, list[str]] = {}
        for detail in details:
            path = tuple(detail["loc"])
            if detail["type"] == "missing" and path in misspelt:
                # It is there, under the unknown key that another finding names.
                continue
            if detail["type"] in KINDS:
                where = existing(self._data, path)
                if where[-1:] in _MEMBERS and value_at(self._data, where) is None:
                    where = where[:-1]
                expected.setdefault(where, []).append(KINDS[detail["type"]])
            else:
                yield self._problem(detail, path)
        for path, words in expected.items():
            # A union names each of its members once per error.
            wanted, found = " or ".join(_kinds(words)), value_at(self._data, path)
            message = f"{_name(path)} must be {wanted}{found_text(found)}"
            key = str(path[-1]) if path else ""
            yield Problem(path, message, wrong_type_hint(wanted, found, key), rule=VALUE_TYPE)

    def misspelt(self, details: list[ErrorDetails]) -> Iterator[Path]:
        """Yield the paths that unknown keys were probably meant for."""
        for detail in details:
            path = tuple(detail["loc"])
            if detail["type"] == "extra_forbidden":
                key, known = str(path[-1]), self._known_keys(path[:-1])
                meant = translate_key(key, known) or nearest(key, known)
                if meant and meant not in (value_at(self._data, path[:-1]) or ()):
                    yield (*path[:-1], meant)

    def _known_keys(self, path: Path) -> list[str]:
        return _known_keys(self._model, self._data, path)

    def _missing_key_hint(self, path: Path) -> str:
        """Return a hint where a missing key is there under the name that other tools have."""
        key, holder = str(path[-1]), value_at(self._data, path[:-1])
        written = holder if isinstance(holder, Mapping) else {}
        other = next((one for one in written if translate_key(str(one), {key})), None)
        return f"write {key} instead of {other}" if other else ""

    def _is_foreign(self, key: str, path: Path, known: list[str]) -> bool:
        """Return whether other tools write this key: a near one is not what was meant."""
        below = (self._known_keys((*path[:-1], part)) for part in known)
        return bool(
            translate_key(key, known)
            or foreign_key_hint(key)
            or any(translate_key(key, one) for one in below)
        )

    def _hint_for_key(self, path: Path, known: list[str]) -> str:
        key = str(path[-1])
        if other := translate_key(key, known):
            return f"write {other}"
        if len(path) == 1 and key in PLACES:
            return f"write it under {PLACES[key]}"
        if way := foreign_key_hint(key):
            return way
        for part in known:
            below = self._known_keys((*path[:-1], part))
            word = key if key in below else translate_key(key, below)
            if word == key:
                return f"it belongs under {part}"
            if word:
                return f"write {word}, under {part}"
        place = self._place_in_configuration(path)
        return place or f"known here: {', '.join(known)}"

    def _of_union(self, detail: ErrorDetails, path: Path) -> Problem:
        """Return what is wrong with the key that tells the members of a union apart."""
        words = str(detail.get("ctx", {}).get("expected_tags", "list, teams, http"))
        written = str(detail.get("ctx", {}).get("discriminator", "type"))
        key = written.rpartition("|")[2].strip(" '")
        where = existing(self._data, path)
        found = (value_at(self._data, where) or {}).get(key)
        if found is None:
            message = f"{_name(path)} needs {key}, one of {words}"
            return Problem(where, message, rule=VALUE_TYPE)
        message = f"{_name((*where, key))} must be one of {words}, not {str(found)[:80]!r}"
        return Problem((*where, key), message + did_you_mean_word(found, words), rule=VALUE_TYPE)

    def _place_in_configuration(self, path: Path) -> str | None:
        """Return where an action's configuration takes the key that stands beside it."""
        action = value_at(self._data, path[:-1])
        if not _is_action(path):
            return None
        written, types = str(action.get("type")), self._known_actions
        known = types.get(written) or types.get(suggest_action_type(written, types) or "")
        return place_of(str(path[-1]), known.config) if known else None

    def _problem(self, detail: ErrorDetails, path: Path) -> Problem:
        key = str(path[-1]) if path else ""
        match detail["type"]:
            case "missing":
                return Problem(
                    path,
                    f"{_name(path)} is missing",
                    self._missing_key_hint(path),
                    rule=MISSING_KEY,
                )
            case "extra_forbidden":
                known = self._known_keys(path[:-1])
                near = "" if self._is_foreign(key, path, known) else did_you_mean(key, known)
                hint = "" if near else self._hint_for_key(path, known)
                message = f"unknown key {key[:80]!r}{near}"
                return Problem(path, message, hint, at_key=True, rule=UNKNOWN_KEY)
            case "enum" | "literal_error":
                words = detail.get("ctx", {}).get("expected", "")
                found = value_at(self._data, path)
                problem = f"{_name(path)} must be {words}, not {str(found)[:80]!r}"
                if path[-1:] == ("type",) and _has_rows(value_at(self._data, path[:-1])):
                    found = "rows"
                return Problem(path, problem + did_you_mean_word(found, words), rule=VALUE_TYPE)
            case "union_tag_invalid" | "union_tag_not_found":
                return self._of_union(detail, path)
            case "too_long":
                limits = detail.get("ctx", {})
                problem = f"has more than {limits.get('max_length')} entries; split it"
                return Problem(path, f"{_name(path)} {problem}", rule=VALUE_TYPE)
            case _:
                where = existing(self._data, path)
                return Problem(where, f"{_name(path)}{_value_message(detail)}", rule=VALUE_TYPE)


def _is_action(path: Path) -> bool:
    """Return whether a key is one of an action: ``fulfillment.manual.actions[0].url``."""
    return path[:1] == ("fulfillment",) and isinstance(path[-2], int) and len(path) in {4, 5}


def _has_rows(field: Any) -> bool:
    """Return whether a field is written as a list of objects: with fields, or as JSON Schema."""
    written = field if isinstance(field, Mapping) else {}
    items = written.get("items")
    return "fields" in written or (
        isinstance(items, Mapping) and ("properties" in items or items.get("type") == "object")
    )


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


def _value_message(detail: ErrorDetails) -> str:
    """Return the end of a sentence about a value: in our own words, not in pydantic's."""
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return f": {message_of(detail)}"
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
    last = path[-4:] if len(path) > _SHOWN_KEYS and isinstance(path[-3], int) else path[-3:]
    shown = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in last]
    return "".join(shown).lstrip(".") or "the document"


def _known_keys(outer: type[BaseModel], data: Any, path: Path) -> list[str]:
    """Return the keys of a mapping in data that should fit a model."""
    models = [outer]
    for part in path:
        data = value_at(data, (part,))
        if isinstance(part, str):
            fields = [_fields_of(one)[part] for one in models if part in _fields_of(one)]
            models = [one for field in fields for one in models_in(field.annotation)]
        if isinstance(data, Mapping):
            models = [one for one in models if _is_meant(one, data)] or models
    return list(_fields_of(models[0])) if models else []


def _fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _is_meant(model: type[BaseModel], data: Mapping[str, Any]) -> bool:
    """Return whether data names a member of a union by the key that tells them apart."""
    return any(
        data.get(key) in typing.get_args(field.annotation)
        for key, field in _fields_of(model).items()
        if typing.get_origin(field.annotation) is typing.Literal
    )


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation names, alone or inside of others."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for argument in typing.get_args(annotation) for model in models_in(argument)]
