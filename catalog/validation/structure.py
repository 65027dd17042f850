"""Whether a document has the shape of its kind: keys, types, allowed words. The first rule."""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from catalog.document_kinds import KINDS, parse_definition
from catalog.loading import Document, Path
from catalog.model import SCHEMA_VERSION, CatalogDocument
from catalog.suggestions import did_you_mean, nearest
from catalog.validation.error_recovery import RecoveredDocument, at, existing, recover
from catalog.validation.subject import Problem
from catalog.validation.wording import hint_for, other_key, shown, word_meant

MOST_PROBLEMS = 100
SCHEMA_VERSION_RULE, KIND = "schema-version", "kind"
MISSING_KEY, UNKNOWN_KEY, VALUE_TYPE = "missing-key", "unknown-key", "value-type"
STRUCTURE = frozenset({SCHEMA_VERSION_RULE, KIND, MISSING_KEY, UNKNOWN_KEY, VALUE_TYPE})

STRUCTURE_RULES = (
    (
        "yaml",
        "The file is strict YAML",
        (
            "One UTF-8 document, at most 1 MB and 64 levels deep. No duplicate keys, no tags, no "
            "merge keys; aliases must not make it large. Scalars follow YAML 1.2: `NO`, `on` and "
            "`2024-01-01` are texts."
        ),
    ),
    (
        SCHEMA_VERSION_RULE,
        "The schema version is known",
        "A document of an unknown version could be misread.",
    ),
    (KIND, "The kind is known", "A document is a CatalogItem or a CatalogBundle."),
    (MISSING_KEY, "Required keys are present", "A key that every document needs is missing."),
    (
        UNKNOWN_KEY,
        "Keys are known",
        "An unknown key would be ignored silently; put further constants into metadata.",
    ),
    (
        VALUE_TYPE,
        "Values have the right type",
        (
            "Booleans are `true` and `false`, a list is a list; where a text is expected, a "
            "number is taken as written (`version: 1.10`). Lists are bounded: 1,000 fields, 200 "
            "actions, 100 components."
        ),
    ),
)

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}


class Shape:
    """The outcome: the item where one could be made, and what is wrong with the structure.

    An item is made in spite of wrong parts, so that the other rules still have their say;
    ``recovered`` tells what was left out or made up for it.
    ``data`` is the document with numbers as they are written where a text belongs (``1.10``).
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data: dict[str, Any] = _copy(document.data)
        self.recovered: RecoveredDocument | None = None
        self._told_of_kind = list(_kind_problems(self.data))
        self._kind = _kind_meant(self.data)
        self.problems: list[Problem] = list(self._told_of_kind)
        self.item = self._parse() if self._kind else None

    def write_as_text(self, paths: Iterable[Path]) -> bool:
        """Put numbers back as they are written; False where no path holds an unquoted number."""
        changed = False
        for path in paths:
            source, holder = self.document.source(path), at(self.data, path[:-1])
            if source is None or not isinstance(holder, dict | list):
                continue
            key: Any = path[-1]
            if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
                holder[key] = source
                changed = True
        return changed

    def parse_again(self) -> None:
        """Make the item anew after texts were put back."""
        self.item = self._parse()

    def _parse(self) -> CatalogDocument | None:
        self.recovered = None
        whole = {**self.data, "schemaVersion": SCHEMA_VERSION, "kind": self._kind}
        try:
            return parse_definition(whole)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        numbers = [_path(d["loc"]) for d in details if d["type"] == "string_type"]
        if self.write_as_text(existing(self.data, path) for path in numbers):
            return self._parse()
        # Nobody reads more at once, and looking for what was meant costs time.
        told = details[:MOST_PROBLEMS]
        meant = set(self._misspelt(told))
        self.problems = [*self._told_of_kind, *self._explain(told, meant)]
        self.recovered = recover(_copy(whole), details, meant)
        if self.recovered is None:
            return None
        self.problems += self._explain(list(self.recovered.news), set())
        return self.recovered.item

    def _explain(self, details: list[ErrorDetails], misspelt: set[Path]) -> Iterator[Problem]:
        expected: dict[Path, list[str]] = {}
        for detail in details:
            path = _path(detail["loc"])
            if detail["type"] == "missing" and path in misspelt:
                # It is there, under the unknown key that another finding names.
                continue
            if detail["type"] in _EXPECTED:
                expected.setdefault(existing(self.data, path), []).append(_EXPECTED[detail["type"]])
            else:
                yield self._one(detail, path)
        for path, words in expected.items():
            # A union names each of its members once per error.
            wanted, found = " or ".join(dict.fromkeys(words)), at(self.data, path)
            told = f"{_name(path)} must be {wanted}{shown(found)}"
            yield Problem(path, told, hint_for(wanted, found), rule=VALUE_TYPE)

    def _misspelt(self, details: list[ErrorDetails]) -> Iterator[Path]:
        """Give the paths that unknown keys were probably meant for."""
        for detail in details:
            path = _path(detail["loc"])
            if detail["type"] == "extra_forbidden":
                meant = nearest(str(path[-1]), self._known_keys(path[:-1]))
                if meant:
                    yield (*path[:-1], meant)

    def _known_keys(self, path: Path) -> list[str]:
        return _known_keys(str(self._kind), path)

    def _hint_for_key(self, path: Path, known: list[str]) -> str:
        key = str(path[-1])
        other = other_key(key, known)
        if other:
            return f"write {other}"
        within = [part for part in known if key in self._known_keys((*path[:-1], part))]
        return f"it stands under {within[0]}" if within else f"known here: {', '.join(known)}"

    def _one(self, detail: ErrorDetails, path: Path) -> Problem:
        key = str(path[-1]) if path else ""
        match detail["type"]:
            case "missing":
                return Problem(path, f"{_name(path)} is missing", rule=MISSING_KEY)
            case "extra_forbidden":
                known = self._known_keys(path[:-1])
                hint = "" if did_you_mean(key, known) else self._hint_for_key(path, known)
                message = f"unknown key {key[:80]!r}{did_you_mean(key, known)}"
                return Problem(path, message, hint, at_key=True, rule=UNKNOWN_KEY)
            case "enum" | "literal_error":
                words = detail.get("ctx", {}).get("expected", "")
                found = at(self.data, path)
                told = f"{_name(path)} must be {words}, not {str(found)[:80]!r}"
                return Problem(path, told + word_meant(found, words), rule=VALUE_TYPE)
            case "too_long":
                limits = detail.get("ctx", {})
                told = f"has more than {limits.get('max_length')} entries; split it"
                return Problem(path, f"{_name(path)} {told}", rule=VALUE_TYPE)
            case _:
                message = detail["msg"].removeprefix("Value error, ")
                where = existing(self.data, path)
                return Problem(where, f"{_name(path)}: {message}", rule=VALUE_TYPE)


def _kind_problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    version, kind = data.get("schemaVersion"), data.get("kind")
    if version is None:
        yield Problem(
            ("schemaVersion",),
            f"schemaVersion is missing; write {SCHEMA_VERSION}",
            rule=SCHEMA_VERSION_RULE,
        )
    elif version != SCHEMA_VERSION:
        told = f"schemaVersion {str(version)[:80]!r} is not known; this version reads"
        yield Problem(("schemaVersion",), f"{told} {SCHEMA_VERSION}", rule=SCHEMA_VERSION_RULE)
    if not isinstance(kind, str) or kind not in KINDS:
        said = "is missing" if kind is None else f"{str(kind)[:80]!r} is not known"
        said += did_you_mean(str(kind), KINDS)
        yield Problem(("kind",), f"kind {said}; write {' or '.join(KINDS)}", rule=KIND)


def _kind_meant(data: Mapping[str, Any]) -> str | None:
    """Give the kind that a document is or was meant to be; None where it would be misread."""
    version, kind = data.get("schemaVersion"), data.get("kind")
    if version is None and kind is None:
        return None
    if version is not None and version != SCHEMA_VERSION:
        return None
    if kind is None:
        return "CatalogBundle" if "components" in data else "CatalogItem"
    return nearest(kind, KINDS) if isinstance(kind, str) else None


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _path(location: tuple[int | str, ...]) -> Path:
    return tuple(location)


def _name(path: Path) -> str:
    """Name a node for people: the last keys of its path, ``fields[2].type``."""
    shown = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[-3:]]
    return "".join(shown).lstrip(".") or "the document"


def _known_keys(kind: str, path: Path) -> list[str]:
    model: Any = KINDS[kind]
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = model_in(fields[part].annotation) if part in fields else None
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Give the model that an annotation names, alone or inside of others, or None."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    inner = (model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in inner if model is not None), None)
