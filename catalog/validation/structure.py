"""Whether a document has the structure of its kind: keys, types, allowed words. The first rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from catalog.document_kinds import KINDS, parse_definition
from catalog.loading import YamlDocument
from catalog.model import SCHEMA_VERSION, CatalogDocument
from catalog.suggestions import nearest
from catalog.validation.error_recovery import RecoveredDocument, errors_in, existing, recover
from catalog.validation.foreign_documents import PAGE, foreign_name
from catalog.validation.foreign_words import translate_type
from catalog.validation.hints import did_you_mean_word
from catalog.validation.structure_messages import (
    MISSING_KEY,
    UNKNOWN_KEY,
    VALUE_TYPE,
    StructureMessages,
)
from catalog.validation.subject import ActionSchema, Problem
from catalog.validation.unquoted_numbers import restore_texts

MOST_PROBLEMS = 100
SCHEMA_VERSION_RULE, KIND = "schema-version", "kind"

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
    (
        KIND,
        "The kind is known",
        (
            "A document is a CatalogItem, a CatalogBundle or a CatalogList. One of another tool is "
            "named, and checked as the item that it may become: see [from other "
            "portals](from-other-portals.md)."
        ),
    ),
    (MISSING_KEY, "Required keys are present", "A key that every document needs is missing."),
    (
        UNKNOWN_KEY,
        "Keys are known",
        "An unknown key would be ignored silently; put further constants in metadata.",
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


@dataclass(frozen=True, slots=True)
class Structure:
    """The item where one could be made, and what is wrong with the structure.

    An item is made despite invalid parts, so that the other rules can still be checked;
    ``recovered`` says what was left out or made up for it.
    ``definition`` is the document with numbers as they are written where a text belongs (``1.10``).
    """

    definition: dict[str, Any]
    item: CatalogDocument | None = None
    problems: tuple[Problem, ...] = ()
    recovered: RecoveredDocument | None = None

    @property
    def has_made_up_parts(self) -> bool:
        """Whether the item says things that the document does not."""
        return self.recovered is not None and not self.recovered.only_keys

    @property
    def has_reliable_form(self) -> bool:
        """Whether the item has the form that the document says."""
        if self.recovered is None:
            return True
        return not any(path[:1] == ("presentation",) for path in self.recovered.touched)


def read_structure(
    document: YamlDocument, known_actions: Mapping[str, ActionSchema] = MappingProxyType({})
) -> Structure:
    """Parse a document as its kind; recovers from invalid parts where that is possible."""
    data = _copy(document.data)
    problems = tuple(_kind_problems(data))
    kind = _kind_meant(data)
    if kind is None:
        return Structure(data, problems=problems)
    while True:
        whole = {**data, "schemaVersion": SCHEMA_VERSION, "kind": kind}
        try:
            return Structure(data, parse_definition(whole), problems)
        except ValidationError as error:
            errors = errors_in(whole, error)
        numbers = [tuple(one["loc"]) for one in errors if one["type"] == "string_type"]
        if not restore_texts(document, data, [existing(data, path) for path in numbers]):
            break
    # More is not helpful at once, and finding suggestions costs time.
    reported = errors[:MOST_PROBLEMS]
    messages = StructureMessages(KINDS[kind], data, known_actions)
    meant = set(messages.misspelt(reported))
    problems += tuple(messages.problems(reported, meant))
    recovered = recover(_copy(whole), errors, meant)
    if recovered is None:
        return Structure(data, problems=problems)
    problems += tuple(messages.problems(list(recovered.late_errors), set()))
    return Structure(data, recovered.item, problems, recovered)


def _kind_problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    version, kind = data.get("schemaVersion"), data.get("kind")
    if foreign := _foreign(data):
        yield Problem(
            tuple(data)[:1],
            f"this is {foreign}, not a catalog document",
            f"{PAGE} shows how its parts are written here; begin with schemaVersion: "
            f"{SCHEMA_VERSION} and kind: CatalogItem",
            at_key=True,
            rule=KIND,
        )
        return
    if version is None:
        yield Problem(
            ("schemaVersion",),
            f"schemaVersion is missing; write {SCHEMA_VERSION}",
            rule=SCHEMA_VERSION_RULE,
        )
    elif version != SCHEMA_VERSION:
        message = f"schemaVersion {str(version)[:80]!r} is not known; this version reads"
        yield Problem(("schemaVersion",), f"{message} {SCHEMA_VERSION}", rule=SCHEMA_VERSION_RULE)
    if not isinstance(kind, str) or kind not in KINDS:
        problem = "is missing" if kind is None else f"{str(kind)[:80]!r} is not known"
        near = did_you_mean_word(kind, ", ".join(map(repr, KINDS)))
        message = f"kind {problem}" + (near or f"; write {' or '.join(KINDS)}")
        yield Problem(("kind",), message, rule=KIND)


def _kind_meant(data: Mapping[str, Any]) -> str | None:
    """Return the kind that a document is or was meant to be; None where it would be misread."""
    version, kind = data.get("schemaVersion"), data.get("kind")
    if _foreign(data):
        return "CatalogItem"
    if (version is None and kind is None) or version not in (None, SCHEMA_VERSION):
        return None
    if kind is None:
        return next((name for key, name in _KIND_BY_KEY if key in data), "CatalogItem")
    if not isinstance(kind, str):
        return None
    return nearest(kind, KINDS) or translate_type(kind, list(KINDS))


_OURS = frozenset({"schemaVersion", "presentation", "fulfillment"})
_KIND_BY_KEY = (("rows", "CatalogList"), ("components", "CatalogBundle"))


def _foreign(data: Mapping[str, Any]) -> str | None:
    """Return whose document this is, where nothing says that it is meant to be one of ours."""
    kind = data.get("kind")
    is_ours = isinstance(kind, str) and nearest(kind, KINDS) is not None
    if is_ours or not _OURS.isdisjoint(data):
        return None
    return foreign_name(data)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
