"""What is known of the values that a document's templates will read. No rules here."""

from collections.abc import Mapping
from typing import Any

from catalog.forms import FieldDefinition, FieldType
from catalog.fulfillment import Action
from catalog.model import CatalogDocument
from catalog.templating.names import SYSTEM_MEMBERS
from catalog.templating.value_types import (
    A_NUMBER,
    A_TEXT,
    ANY,
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    ValueShape,
    either,
    mapping_of,
    shape_of,
    shape_of_schema,
)

_KINDS: dict[FieldType, int] = {
    FieldType.NUMBER: NUMBER,
    FieldType.INTEGER: NUMBER,
    FieldType.BOOLEAN: BOOLEAN,
}
_USER = mapping_of({"id": A_TEXT, "email": A_TEXT, "teams": ValueShape(LIST, item=A_TEXT)})
_COMPONENT = mapping_of({"id": A_TEXT, "status": A_TEXT, "outputs": UNKNOWN})
_SYSTEM = mapping_of({name: A_NUMBER if name == "timestamp" else A_TEXT for name in SYSTEM_MEMBERS})


def field_shape(field: FieldDefinition) -> ValueShape:
    """Return the shape of a field's value; one that may be absent may be null."""
    shape = _value_shape(field)
    given = field.is_always_required or field.plain_default is not None
    certain = given and field.conditional is None
    if certain:
        return shape
    return ValueShape(shape.kinds | NULL, shape.members, shape.item, shape.choices)


def kinds_of(field: FieldDefinition) -> int:
    """Return every kind of value that a field accepts."""
    if field.type is FieldType.JSON:
        return ANY
    if field.type is FieldType.SELECT:
        return TEXT | NUMBER | BOOLEAN
    return _value_shape(field).kinds


def row_shapes(field: FieldDefinition) -> dict[str, ValueShape]:
    """Return the shapes of the fields in a row of a list."""
    return {inner.id: field_shape(inner) for inner in field.fields}


def document_shapes(document: CatalogDocument, metadata: Any) -> dict[str, ValueShape]:
    """Return the shapes of the scopes that are the same in every template of a document."""
    hidden = {field.id for group in document.groups if group.conditional for field in group.fields}
    fields = {field.id: field_shape(field) for field in document.fields}
    for name in hidden:
        one = fields[name]
        fields[name] = ValueShape(one.kinds | NULL, one.members, one.item, one.choices)
    data = mapping_of(fields)
    texts = dict.fromkeys(("id", "title", "timestamp", "correlation_id"), A_TEXT)
    request = {**texts, "user": _USER}
    return {
        "fields": data,
        "metadata": shape_of(metadata if isinstance(metadata, Mapping) else {}),
        "request": mapping_of({**request, "data": data}),
        "system": _SYSTEM,
    }


def output_shapes(
    actions: Mapping[str, Action], schemas: Mapping[str, Mapping[str, Any]]
) -> ValueShape:
    """Return the shape of ``outputs`` after these actions; what an author names is there too."""
    return mapping_of(
        {key: _outputs(action, schemas.get(action.type, {})) for key, action in actions.items()}
    )


def component_shapes(ids: tuple[str, ...]) -> ValueShape:
    """Return the shape of ``components``, whose outputs depend on their items."""
    return mapping_of(dict.fromkeys(ids, _COMPONENT))


def _outputs(action: Action, schema: Mapping[str, Any]) -> ValueShape:
    shape = shape_of_schema(schema, closed=True)
    if shape.members is None:
        return UNKNOWN
    named = {output.name: UNKNOWN for output in action.outputs}
    return mapping_of({**named, **shape.members})


def _value_shape(field: FieldDefinition) -> ValueShape:
    choices = tuple(choice.value for choice in field.choices or ())
    if field.type is FieldType.SELECT and choices:
        return ValueShape(either(shape_of(one) for one in choices).kinds, choices=choices)
    if field.type is FieldType.MULTISELECT:
        item = either(shape_of(one) for one in choices).kinds if choices else TEXT
        return ValueShape(LIST, item=ValueShape(item, choices=choices or None))
    if field.type is FieldType.LIST:
        return ValueShape(LIST, item=mapping_of(row_shapes(field)))
    if field.type is FieldType.JSON:
        return shape_of_schema(field.validation.json_schema)
    return ValueShape(_KINDS.get(field.type, TEXT))
