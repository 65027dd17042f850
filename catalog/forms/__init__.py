"""Forms: validator, JSON Schema and layout from one definition."""

from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    GroupDefinition,
)
from catalog.forms.form import FieldError, Form, FormError, FormResult

__all__ = [
    "Condition",
    "FieldDefinition",
    "FieldError",
    "FieldType",
    "Form",
    "FormDefinition",
    "FormError",
    "FormResult",
    "GroupDefinition",
]
