"""Forms: validator, JSON Schema and layout from one definition."""

from catalog.forms.context import NOBODY, FormContext, Offered
from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    GroupDefinition,
)
from catalog.forms.form import Form
from catalog.forms.outcome import FieldError, FormError, FormResult

__all__ = [
    "NOBODY",
    "Condition",
    "FieldDefinition",
    "FieldError",
    "FieldType",
    "Form",
    "FormContext",
    "FormDefinition",
    "FormError",
    "FormResult",
    "GroupDefinition",
    "Offered",
]
