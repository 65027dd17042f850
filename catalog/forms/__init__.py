"""Forms: validator, JSON Schema and layout from one definition."""

from catalog.forms.context import EMPTY_CONTEXT, FormContext, OfferedChoices
from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    GroupDefinition,
)
from catalog.forms.form import Form
from catalog.forms.result import FieldError, FormError, FormResult

__all__ = [
    "EMPTY_CONTEXT",
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
    "OfferedChoices",
]
