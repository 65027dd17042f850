"""Forms: one definition gives the validator, the JSON Schema and what is drawn."""

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
