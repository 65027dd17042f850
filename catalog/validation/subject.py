"""What a rule looks at and what it answers. The rules themselves are in modules of their own."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from catalog.bundle import CatalogBundle, Component
from catalog.config_texts import WEB_ADDRESS, is_template
from catalog.configuration_checks import ConfigReader, ConfigValidator
from catalog.document_kinds import KINDS
from catalog.forms import FieldDefinition
from catalog.fulfillment import Action
from catalog.loading import Path, Position, YamlDocument
from catalog.model import CatalogDocument
from catalog.validation.findings import Severity
from catalog.validation.templates import PlacedTemplate, placed_templates


def _is_json_path(text: Any) -> bool:
    """Raise ``ValueError`` for a JSONPath that cannot be read."""
    # Another keyword checks that it is a text at all.
    if not isinstance(text, str):
        return True
    # Most documents have none, and reading them takes a library.
    from catalog import json_paths  # noqa: PLC0415 -- loaded by those that have some

    try:
        json_paths.check(text)
    except json_paths.PathError as error:
        raise ValueError(f"the JSONPath {text[:200]!r} {error}") from error
    return True


def _is_web_address(text: Any) -> bool:
    """Raise ``ValueError`` for an address that actions do not call."""
    if isinstance(text, str) and not text.lower().startswith(("https://", "http://")):
        raise ValueError(f"the address {text[:200]!r} must begin with https:// or http://")
    return True


_FORMATS = FormatChecker(())
_FORMATS.checks("json-path", raises=ValueError)(_is_json_path)
_FORMATS.checks(WEB_ADDRESS, raises=ValueError)(_is_web_address)


@dataclass(frozen=True)
class ActionSchema:
    """What the catalog needs to know of an action type.

    ``config`` and ``outputs`` are JSON Schemas; ``targets`` names by dotted path the keys of the
    configuration whose text has a syntax of its own (``ticket.descriptionTemplate``: ``jira``);
    ``validate_config`` checks a rendered configuration, ``reader`` returns it as it is used.
    """

    config: Mapping[str, Any]
    outputs: Mapping[str, Any] = attribute(default_factory=dict)
    targets: Mapping[str, str] = attribute(default_factory=dict)
    validate_config: ConfigValidator | None = None
    reader: ConfigReader | None = None

    @cached_property
    def validator(self) -> Draft202012Validator:
        """The validator of configurations, made once."""
        return Draft202012Validator(dict(self.config), format_checker=_FORMATS)


# A text that holds a template has its final form, and so its length or pattern, later only.
_CHECKED_LATER = frozenset(
    {"pattern", "minLength", "maxLength", "format", "enum", "const", "type", "anyOf", "oneOf"}
)


_OF_PARTS = frozenset({"object", "array"})
_ONE_TAG = re.compile(r"\{\{(?!#)[^{}]*\}\}")


def is_checked_later(error: ValidationError) -> bool:
    """Return whether an error is about a template, whose text only the rendering decides.

    A template with text around its tag is a text for certain, and never a mapping or a list.
    """
    if error.validator not in _CHECKED_LATER or not is_template(error.instance):
        return False
    if error.context:
        return any(is_checked_later(inner) for inner in error.context)
    is_text = error.validator == "type" and error.validator_value in _OF_PARTS
    return not is_text or bool(_ONE_TAG.fullmatch(str(error.instance)))


@dataclass(frozen=True)
class Subject:
    """A document that could be parsed as an item or a bundle, as the rules see it."""

    document: YamlDocument
    item: CatalogDocument
    known_actions: Mapping[str, ActionSchema]

    @cached_property
    def placed_fields(self) -> tuple[tuple[Path, FieldDefinition], ...]:
        """Every field of the form with its path, those in the rows of lists included."""
        found: list[tuple[Path, FieldDefinition]] = []
        for g, group in enumerate(self.item.groups):
            for f, field in enumerate(group.fields):
                path: Path = ("presentation", "form", "groups", g, "fields", f)
                found.append((path, field))
                rows = enumerate(field.fields)
                found += [((*path, "fields", r), inner) for r, inner in rows]
        return tuple(found)

    def action_lists(self) -> Iterator[tuple[Path, tuple[Action, ...]]]:
        """Yield all actions, notifications included, with the path of each list."""
        yield ("fulfillment", "manual", "actions"), self.item.manual_actions
        yield ("fulfillment", "automatic", "actions"), self.item.automatic_actions
        yield ("fulfillment", "onFailure"), self.item.fulfillment.on_failure
        yield ("fulfillment", "onWaiting"), self.item.fulfillment.on_waiting

    def actions(self) -> Iterator[tuple[Path, Action]]:
        """Yield every action with its path."""
        for path, actions in self.action_lists():
            for index, action in enumerate(actions):
                yield (*path, index), action

    def configuration_errors(self, action: Action) -> tuple[ValidationError, ...]:
        """Return what the schema of its type says about an action's configuration for certain."""
        errors = self.possible_errors(action)
        return tuple(error for error in errors if not is_checked_later(error))

    def possible_errors(self, action: Action) -> tuple[ValidationError, ...]:
        """Return what the schema says of the configuration as written, texts of templates too."""
        known = self._errors.get(id(action))
        if known is None:
            schema = self.known_actions.get(action.type)
            known = tuple(schema.validator.iter_errors(action.config)) if schema else ()
            self._errors[id(action)] = known
        return known

    def forget(self, action: Action) -> None:
        """Drop what was found in an action's configuration, which has changed since."""
        self._errors.pop(id(action), None)

    @cached_property
    def _errors(self) -> dict[int, tuple[ValidationError, ...]]:
        return {}

    @cached_property
    def templates(self) -> tuple[PlacedTemplate, ...]:
        """Every template of the document, inspected once."""
        return tuple(placed_templates(self))

    @property
    def output_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """The schema of each action type's outputs, by its name."""
        return {name: schema.outputs for name, schema in self.known_actions.items()}

    @property
    def bundle(self) -> CatalogBundle | None:
        """The item as the bundle that it is, or None."""
        return self.item if isinstance(self.item, CatalogBundle) else None

    def components(self) -> Iterator[tuple[Path, Component]]:
        """Yield every component of a bundle with its path; of an item there are none."""
        for index, component in enumerate(self.bundle.components if self.bundle else ()):
            yield ("components", index), component


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found at the node of a path; ``at_key`` when the key itself is wrong.

    ``rule`` is set where one look at a document serves several rules, ``inside`` where a place
    in the text of the node is meant.
    """

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    rule: str = ""
    inside: Position | None = None


Check = Callable[[Subject], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id is part of the contract with those who read findings."""

    id: str
    title: str
    severity: Severity
    check: Check
    kinds: frozenset[str] = frozenset(KINDS)
