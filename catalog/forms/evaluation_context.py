"""What evaluating a form needs and returns: context, resolved fields, result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from catalog.forms.context import FormContext
from catalog.forms.definition import FieldDefinition
from catalog.forms.result import FieldError
from catalog.templating import TemplateError


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """When and by whom a form is filled in; in a row of a list also the values around the row.

    ``present`` is what conditions see, ``template_values`` what templates see, ``invalid`` names
    fields that have errors, ``row_path`` leads to the row: ``rules[0].``.
    """

    today: date
    context: FormContext
    present: Mapping[str, Any] = field(default_factory=dict)
    template_values: Mapping[str, Any] = field(default_factory=dict)
    invalid: frozenset[str] = frozenset()
    row_path: str = ""


@dataclass(frozen=True, slots=True)
class ResolvedFields:
    """The fields shown and their values: those sent, else defaults.

    ``present`` holds the visible fields, ``template_values`` all fields as templates see them.
    ``computed`` are the fields whose value was computed, ``failures`` says why one could not be.
    ``rejected`` are the read-only fields for which another value was sent; ``rows`` are those of
    lists.
    """

    present: dict[str, Any] = field(default_factory=dict)
    template_values: dict[str, Any] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)
    failures: dict[str, TemplateError] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    rows: "dict[str, list[ResolvedFields | None]]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldQuery:
    """What must be looked up for a field's value: its choices, or whether a name exists.

    ``path`` is how the field is named in errors, ``inputs`` holds what its options read.
    """

    path: str
    field: FieldDefinition
    value: Any
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldsResult:
    """What is wrong, in the order of the form, and which fields must have a value.

    ``unknown`` are the errors of keys that are no fields.
    """

    errors: tuple[FieldError, ...]
    unknown: tuple[FieldError, ...]
    required: tuple[str, ...]
    invalid: frozenset[str]
