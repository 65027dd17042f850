"""A form of one field, to validate a value where the rest of the form is not known."""

from typing import Any

from catalog.forms.conditions import references
from catalog.forms.definition import FieldDefinition, FormDefinition
from catalog.forms.form import Form
from catalog.forms.options import TeamOptions


def single_field_form(field: FieldDefinition) -> Form:
    """Return a form of this field without what depends on other fields of its own form.

    Conditions of a column on columns of the same row stay. Raises ``FormError``.
    """
    group = {"id": "group", "fields": (_independent_field(field),)}
    return Form(FormDefinition.model_validate({"groups": (group,)}))


def _independent_field(
    field: FieldDefinition, row: frozenset[str] = frozenset()
) -> FieldDefinition:
    """Return a field by itself, or a column by its ``row``: the ids of all columns."""
    changes: dict[str, Any] = {"read_only": False}
    if field.conditional and not {name for _, name in references(field.conditional)} <= row:
        changes["conditional"] = None
    if field.options is not None:
        # What is offered is asked for at submission; only the kind of value is known here.
        changes["options"] = TeamOptions.model_validate({"from": "teams"})
    if field.template is not None:
        changes["default"] = None
    if field.required_when is not None:
        changes["required"] = False
    columns = frozenset(one.id for one in field.fields)
    changes["fields"] = tuple(_independent_field(one, columns) for one in field.fields)
    return field.model_copy(update=changes)
