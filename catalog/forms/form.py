"""The one validator: which fields are shown, which values they have, and what is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, Self

from pydantic import ValidationError

from catalog.forms.checks import FieldChecks, compile_checks, is_blank
from catalog.forms.conditions import holds, references
from catalog.forms.constraint_checks import Failure
from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    GroupDefinition,
)
from catalog.forms.json_schema import form_json_schema
from catalog.forms.ui_schema import form_ui_schema
from catalog.forms.values import ValueFormatError, excerpt, resolve_date
from catalog.suggestions import did_you_mean

# The field's own message speaks for its constraints; these are explained by ours.
_OUR_WORDS = frozenset({"type", "required", "hidden"})
_MAX_SUGGESTIONS = 20


class FormError(ValueError):
    """A form that cannot work: a bad pattern, an unknown field in a condition, a cycle."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field; a password's value is never in it."""

    field: str
    constraint: str
    message: str
    received: Any = None
    expected: Any = None


@dataclass(frozen=True, slots=True)
class FormResult:
    """The answer of the validator.

    ``values`` holds the given values and the defaults of the visible fields, in the order of the
    form, and may be used only when ``valid``. ``visible`` holds the ids of the fields shown.
    """

    valid: bool
    values: dict[str, Any]
    errors: tuple[FieldError, ...]
    visible: tuple[str, ...]


class Form:
    """A form that is ready to judge values: it serves the API, the CLI and the web alike."""

    def __init__(self, definition: FormDefinition) -> None:
        self.definition = definition
        self.fields: dict[str, FieldDefinition] = {}
        self._checks: dict[str, FieldChecks] = {}
        self._conditions: dict[str, tuple[Condition, ...]] = {}
        for group in definition.groups:
            for field in group.fields:
                self._add(group, field)
        self._order = self._resolution_order()

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any]) -> Self:
        """Make a form from plain data; raises ``FormError``."""
        try:
            return cls(FormDefinition.model_validate(dict(raw)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise FormError(f"{where}: {first['msg']}") from None

    def validate(self, values: Mapping[str, Any], today: date) -> FormResult:
        """Judge values as of a day (UTC); nothing is coerced, and no value makes it raise."""
        present = self._present(values, today)
        visible = tuple(field_id for field_id in self.fields if field_id in present)
        errors = [
            error
            for field_id, field in self.fields.items()
            for error in self._field_errors(field, values, present, today)
        ]
        errors.extend(self._unknown_errors(values))
        kept = {
            field_id: _kept(self.fields[field_id], present[field_id])
            for field_id in visible
            if present[field_id] is not None
        }
        return FormResult(not errors, kept, tuple(errors), visible)

    def visible(self, values: Mapping[str, Any], today: date) -> tuple[str, ...]:
        """Return the ids of the fields that are shown with these values, in the form's order."""
        present = self._present(values, today)
        return tuple(field_id for field_id in self.fields if field_id in present)

    @property
    def password_fields(self) -> frozenset[str]:
        """The ids of the fields whose values are secrets."""
        return frozenset(f.id for f in self.fields.values() if f.type is FieldType.PASSWORD)

    def json_schema(self) -> dict[str, Any]:
        """Return the form as a JSON Schema (draft 2020-12) of the values, absent ones left out."""
        return self._json_schema

    def ui_schema(self) -> dict[str, Any]:
        """Return the form for those who draw it: groups, fields, components, conditions."""
        return form_ui_schema(self.definition)

    @cached_property
    def _json_schema(self) -> dict[str, Any]:
        return form_json_schema(self.definition)

    def _add(self, group: GroupDefinition, field: FieldDefinition) -> None:
        if field.id in self.fields:
            raise FormError(f"the field {field.id!r} is used twice")
        try:
            self._checks[field.id] = compile_checks(field)
        except ValueFormatError as error:
            raise FormError(f"the validation of field {field.id!r} {error}") from None
        self.fields[field.id] = field
        self._conditions[field.id] = tuple(
            condition for condition in (group.conditional, field.conditional) if condition
        )

    def _resolution_order(self) -> tuple[str, ...]:
        graph = condition_graph(self.definition)
        for field_id, seen in graph.items():
            for name in seen:
                if name not in graph:
                    raise FormError(
                        f"the condition of {field_id!r} refers to {name!r}, which is not a field"
                        + did_you_mean(name, graph)
                    )
        try:
            return tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise FormError(describe_cycle(error)) from None

    def _present(self, values: Mapping[str, Any], today: date) -> dict[str, Any]:
        """Return the visible fields with what conditions see: the value sent, else the default."""
        present: dict[str, Any] = {}
        for field_id in self._order:
            if all(holds(condition, present) for condition in self._conditions[field_id]):
                sent = values.get(field_id)
                field = self.fields[field_id]
                present[field_id] = sent if sent is not None else default_of(field, today)
        return present

    def _field_errors(
        self,
        field: FieldDefinition,
        values: Mapping[str, Any],
        present: Mapping[str, Any],
        today: date,
    ) -> Iterator[FieldError]:
        sent = values.get(field.id)
        if field.id not in present:
            if sent is not None:
                yield _error(field, Failure("hidden", _HIDDEN), sent)
            return
        value = present[field.id]
        if value is None or is_blank(field, value):
            if field.required:
                yield _error(field, Failure("required", "is required"), sent)
            return
        for failure in self._checks[field.id].failures(value, today):
            yield _error(field, failure, value)

    def _unknown_errors(self, values: Mapping[str, Any]) -> Iterator[FieldError]:
        unknown = (key for key in values if key not in self.fields and values[key] is not None)
        for index, key in enumerate(unknown):
            # Comparing names costs time, and nobody reads a hundred suggestions.
            hint = did_you_mean(key, self.fields) if index < _MAX_SUGGESTIONS else ""
            message = f"there is no field {excerpt(key)!r}{hint or '; leave it out'}"
            yield FieldError(key, "unknown", message)


_HIDDEN = "does not apply with these values; leave it out"


def condition_graph(definition: FormDefinition) -> dict[str, set[str]]:
    """Return for every field the fields that its own and its group's conditions look at."""
    graph: dict[str, set[str]] = {}
    for group in definition.groups:
        for field in group.fields:
            conditions = filter(None, (group.conditional, field.conditional))
            graph[field.id] = {name for part in conditions for _, name in references(part)}
    return graph


def describe_cycle(error: CycleError) -> str:
    """Return a message that names the fields of a cycle."""
    names = " -> ".join(str(name) for name in reversed(error.args[1]))
    return f"the conditions form a cycle: {names}"


def default_of(field: FieldDefinition, today: date) -> Any:
    """Return the default of a field; that of a date may be relative to the day."""
    if field.type is FieldType.DATE and isinstance(field.default, str):
        day = resolve_date(field.default, today)
        return day.isoformat() if day else field.default
    return field.default


def _kept(field: FieldDefinition, value: Any) -> Any:
    # 3.0 is the integer 3, and templates should not have to know how it was sent.
    whole = field.type is FieldType.INTEGER and isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


def _error(field: FieldDefinition, failure: Failure, received: Any) -> FieldError:
    own = field.validation.message if failure.constraint not in _OUR_WORDS else None
    message = own or f"{field.label} {failure.message}"
    shown = None if field.type is FieldType.PASSWORD else excerpt(received)
    return FieldError(field.id, failure.constraint, message, shown, failure.expected)
