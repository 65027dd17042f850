"""What judging a form carries along: the circumstances, the resolved values, the outcome."""

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
    """As of when and by whom a form is filled in; in a row also what the form around it holds.

    ``present`` is what conditions see, ``seen`` what templates see, ``broken`` names fields that
    have errors, ``way`` leads to the row: ``rules[0].``.
    """

    today: date
    context: FormContext
    present: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    way: str = ""


@dataclass(frozen=True, slots=True)
class ResolvedFields:
    """The fields shown and their values: those sent, else defaults.

    ``present`` holds the visible fields, ``seen`` all fields as templates see them, ``computed``
    the fields whose value was computed, ``failures`` why one could not be, ``refused`` the
    read-only fields for which another value was sent; ``rows`` are those of lists.
    """

    present: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)
    failures: dict[str, TemplateError] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    rows: "dict[str, list[ResolvedFields | None]]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldQuery:
    """What has to be asked about a field's value: its choices, or whether a name is known.

    ``way`` is how the field is named in errors, ``seen`` holds what its options read.
    """

    way: str
    field: FieldDefinition
    value: Any
    seen: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldsResult:
    """What is wrong, in the order of the form, and which fields must have a value.

    ``unknown`` are the errors of keys that are no fields.
    """

    errors: tuple[FieldError, ...]
    unknown: tuple[FieldError, ...]
    required: tuple[str, ...]
    broken: frozenset[str]
