"""Explains what the schema of an action type says about a configuration: errors become problems."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from catalog.loading import Path
from catalog.schema_messages import message_of
from catalog.suggestions import did_you_mean
from catalog.validation.hints import foreign_key_hint, found_text, suggest_key, translate_key
from catalog.validation.subject import Problem, is_checked_later

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping of keys to values",
    "string": "a text",
}
_MEMBERS = frozenset({"anyOf", "oneOf"})
_LIMITS = {
    "const": "must be {}",
    "exclusiveMaximum": "must be less than {}",
    "exclusiveMinimum": "must be more than {}",
    "maxItems": "must have at most {} entries",
    "maxLength": "must have at most {} characters",
    "maxProperties": "must have at most {} keys",
    "maximum": "must be at most {}",
    "minItems": "must have at least {} entries",
    "minLength": "must have at least {} characters",
    "minProperties": "must have at least {} keys",
    "minimum": "must be at least {}",
    "multipleOf": "must be a multiple of {}",
    "pattern": "must match {}",
    "uniqueItems": "must name each entry once",
}
_WRITTEN_OUT = {
    "approvers": "write approvers: {users: [...], teams: [...]}",
    "endpoint": "write endpoint: {url: ..., method: ...}",
}
"""How mappings are written for which people write a text or a list."""
_MESSAGE = 200
_OF_ACTIONS = frozenset({"id", "when", "dependsOn", "cleanup"})


def configuration_problems(
    path: Path, errors: Iterable[ValidationError], root: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield a problem for each error of one configuration, which is at the path.

    Of a union only the member that its ``type`` names, or that fits the kind of value, is checked.
    ``root`` is the whole schema, whose ``$defs`` say which keys belong further down.
    """
    explained = _ErrorExplainer(path, root)
    for problem in [problem for error in errors for problem in explained.explain(error)]:
        # It is there, under the unknown key that another finding names.
        if explained.missing_keys.get(problem) not in explained.meant:
            yield problem


def place_of(key: str, schema: Mapping[str, Any]) -> str | None:
    """Return in a sentence where a configuration takes a key, or what other tools call so."""
    properties = schema.get("properties", {})
    levels = {"config": set(properties)} | {
        f"config.{name}": _keys_below(part, schema) for name, part in properties.items()
    }
    if place := next((name for name, known in levels.items() if key in known), None):
        return f"it belongs under {place}"
    words = ((translate_key(key, known), name) for name, known in levels.items())
    return next((f"write {word}, under {name}" for word, name in words if word), None)


def _keys_below(schema: Any, root: Mapping[str, Any]) -> set[str]:
    """Return the keys of a mapping that a schema describes, by reference or in a union."""
    if not isinstance(schema, Mapping):
        return set()
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return set(root.get("$defs", {}).get(name, {}).get("properties", {}))
    found = set(schema.get("properties", {}))
    for member in schema.get("anyOf", ()):
        found |= _keys_below(member, root)
    return found


class _ErrorExplainer:
    """Explains the errors of one configuration.

    ``missing_keys`` holds the missing key of each problem that names one, ``meant`` the keys that
    unknown ones are meant for or belong under.
    """

    def __init__(self, path: Path, root: Mapping[str, Any]) -> None:
        self.missing_keys: dict[Problem, Path] = {}
        self.meant: set[Path] = set()
        self._path = path
        self._root = root

    def explain(self, error: ValidationError) -> Iterator[Problem]:
        where: Path = (*self._path, *error.absolute_path)
        if error.validator == "additionalProperties" and isinstance(error.instance, dict):
            yield from self._unknown_keys(where, error)
        elif error.validator == "required":
            yield self._missing(where, error)
        elif error.validator in _MEMBERS:
            yield from self._union(where, error)
        elif error.validator == "type":
            yield _wrong_kind(where, error.instance, _kinds_of(error))
        elif error.validator == "enum":
            words = [str(word) for word in _keyword_value(error)]
            yield _wrong_word(where, error.instance, words)
        elif error.validator == "format" and error.cause is not None:
            yield Problem(where, str(error.cause))
        elif error.validator in _LIMITS:
            yield Problem(where, f"{_name(where)} {_limit(error)}")
        else:
            yield Problem(where, f"{_name(where)} is invalid: {message_of(error)[:_MESSAGE]}")

    def _missing(self, where: Path, error: ValidationError) -> Problem:
        missing = str(error.message).split("'")[1]
        within = _name(where)
        place = "the configuration" if within == "config" else within
        problem = Problem(where, f"{missing} is missing in {place}")
        self.missing_keys[problem] = (*where, missing)
        return problem

    def _unknown_keys(self, where: Path, error: ValidationError) -> Iterator[Problem]:
        schema = error.schema if isinstance(error.schema, dict) else {}
        properties = schema.get("properties", {})
        known = list(properties)
        instance: Any = error.instance
        for key in (key for key in instance if key not in properties):
            meant = suggest_key(key, known)
            hint = foreign_key_hint(key) or f"known here: {', '.join(known)}"
            deeper = {name: _keys_below(properties[name], self._root) for name in known}
            below = [
                name for name in known if key in deeper[name] or translate_key(key, deeper[name])
            ]
            if below and not meant:
                word = None if key in deeper[below[0]] else translate_key(key, deeper[below[0]])
                hint = f"write {word}, under {below[0]}" if word else f"it belongs under {below[0]}"
            elif where != self._path and key in self._root.get("properties", {}):
                hint = "it belongs under config"
            elif where == self._path and key in _OF_ACTIONS:
                hint = "it belongs beside config"
            self.meant.add((*where, meant or next(iter(below), key)))
            message = f"unknown key {key[:80]!r}" + (f"; did you mean {meant!r}?" if meant else "")
            yield Problem((*where, key), message, hint, at_key=True)

    def _union(self, where: Path, error: ValidationError) -> Iterator[Problem]:
        schema = error.schema if isinstance(error.schema, dict) else {}
        members = _by_member(error)
        tag = schema.get("discriminator", {}).get("propertyName")
        if tag:
            yield from self._tagged_union(where, error, tag, members)
            return
        fitting = [errors for errors in members if not any(map(_is_of_kind, errors))]
        if not fitting:
            kinds = dict.fromkeys(kind for errors in members for kind in _kinds_in(errors))
            yield _wrong_kind(where, error.instance, kinds)
        elif len(fitting) == 1:
            for inner in fitting[0]:
                yield from self.explain(inner)
        else:
            best = best_match([error]) or error
            yield Problem(where, f"{_name(where)} is invalid: {message_of(best)[:_MESSAGE]}")

    def _tagged_union(
        self, where: Path, error: ValidationError, tag: str, members: list[list[ValidationError]]
    ) -> Iterator[Problem]:
        schema = error.schema if isinstance(error.schema, dict) else {}
        names = list(schema["discriminator"].get("mapping", {}))
        if not isinstance(error.instance, dict):
            yield _wrong_kind(where, error.instance, {_KINDS["object"]: None})
            return
        written = error.instance.get(tag)
        if written is None:
            message = f"{tag} is missing in {_name(where)}"
            yield Problem(where, message, f"write {tag}: {' or '.join(names)}")
        elif written not in names:
            yield _wrong_word((*where, tag), written, names)
        else:
            chosen = members[_member_index(schema, str(written))]
            for inner in chosen:
                yield from self.explain(inner)


def _wrong_kind(where: Path, value: Any, kinds: Iterable[str]) -> Problem:
    wanted = [kind for kind in kinds if kind != _KINDS["null"]] or [*kinds]
    if _KINDS["number"] in wanted:
        wanted = [kind for kind in wanted if kind != _KINDS["integer"]]
    hint = (
        "write a value, or leave it out" if value is None else _WRITTEN_OUT.get(str(where[-1]), "")
    )
    return Problem(where, f"{_name(where)} must be {' or '.join(wanted)}{found_text(value)}", hint)


def _limit(error: ValidationError) -> str:
    """Return which limit is exceeded; the value may be a credential and is not shown."""
    limit = _keyword_value(error)
    if error.validator in {"minLength", "minItems", "minProperties"} and limit == 1:
        return "must not be empty"
    return _LIMITS[str(error.validator)].format(json.dumps(limit, ensure_ascii=False))


def _wrong_word(where: Path, value: Any, words: list[str]) -> Problem:
    message = f"{_name(where)} must be {', '.join(words[:-1])} or {words[-1]}{found_text(value)}"
    return Problem(where, message + did_you_mean(str(value), words))


def _by_member(error: ValidationError) -> list[list[ValidationError]]:
    """Return the errors of each member of a union that count before anything is rendered."""
    found: list[list[ValidationError]] = [[] for _ in _keyword_value(error)]
    for inner in error.context or ():
        if not is_checked_later(inner):
            found[int(inner.relative_schema_path[0])].append(inner)
    return found


def _member_index(schema: Mapping[str, Any], name: str) -> int:
    reference = schema["discriminator"]["mapping"][name]
    members = schema.get("oneOf") or schema.get("anyOf") or []
    return next(n for n, member in enumerate(members) if member.get("$ref") == reference)


def _is_of_kind(error: ValidationError) -> bool:
    """Return whether an error says that a member takes another kind of value altogether."""
    return error.validator == "type" and not error.relative_path


def _kinds_in(errors: list[ValidationError]) -> Iterator[str]:
    for error in errors:
        if _is_of_kind(error):
            yield from _kinds_of(error)


def _kinds_of(error: ValidationError) -> Iterator[str]:
    given = _keyword_value(error)
    for kind in [given] if isinstance(given, str) else given:
        yield _KINDS.get(kind, str(kind))


def _keyword_value(error: ValidationError) -> Any:
    """Return the value of the schema's keyword that an error is about."""
    return error.validator_value


def _name(where: Path) -> str:
    """Describe a place by its last key, and by the number of an item in a list."""
    last = where[-1]
    return f"{where[-2]}[{last}]" if isinstance(last, int) and len(where) > 1 else str(last)
