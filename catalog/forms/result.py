"""The results of a form: values and their errors, and the error of a form itself."""

from dataclasses import dataclass
from typing import Any

from catalog.forms.constraint_checks import ConstraintFailure
from catalog.forms.definition import FieldDefinition
from catalog.forms.values import excerpt

# The field's own message speaks for its constraints; these are explained by ours.
_OUR_WORDS = frozenset({"type", "required", "hidden", "readOnly", "computed"})


class FormError(ValueError):
    """A form that cannot work: a bad pattern, an unknown field in a condition, a cycle."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field; a password's value is never in it.

    A field in a row of a list is named by its path: ``rules[0].prefix``, counted from 0.
    """

    field: str
    constraint: str
    message: str
    received: Any = None
    expected: Any = None


@dataclass(frozen=True, slots=True)
class FormResult:
    """The result of validating a form.

    ``values`` holds the given values and the defaults of the visible fields, in the order of the
    form, and may be used only when ``valid``. ``visible`` holds the ids of the fields shown,
    ``required`` those of them that must have a value, ``computed`` those whose value is computed
    and was not sent. ``in_rows`` names the fields shown in rows of lists by their paths.
    ``warnings`` are shown on review and refuse nothing.
    """

    valid: bool
    values: dict[str, Any]
    errors: tuple[FieldError, ...]
    visible: tuple[str, ...]
    required: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    warnings: tuple[FieldError, ...] = ()
    in_rows: tuple[str, ...] = ()


def error_of(field: FieldDefinition, failure: ConstraintFailure, received: Any) -> FieldError:
    """Return a failed constraint of a field as an error, in the author's words where given."""
    own = field.validation.message if failure.constraint not in _OUR_WORDS else None
    message = own or f"{field.label} {failure.message}"
    shown = None if field.holds_secret else excerpt(received)
    return FieldError(field.id, failure.constraint, message, shown, failure.expected)
