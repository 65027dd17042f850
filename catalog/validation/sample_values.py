"""Made-up values for everything that a template reads, of the types that are known. Pure.

Lists have two entries: what is missing between them shows.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from catalog.forms import FieldDefinition, FieldType, FormError
from catalog.model import CatalogDocument
from catalog.templating import Inspection

_A_DAY = date(2026, 1, 5)
_TEXT, _OTHER = "x", "y"
_VALUES: Mapping[FieldType, Any] = {
    FieldType.BOOLEAN: True,
    FieldType.DATE: _A_DAY.isoformat(),
    FieldType.DATETIME: "2026-01-05T09:00:00Z",
    FieldType.DURATION: "1h",
    FieldType.EMAIL: "dana@example.com",
    FieldType.FILE: "data:text/plain;base64,eA==",
    FieldType.TEAM: "team-orders",
    FieldType.TIME: "09:00",
    FieldType.URL: "https://example.com",
    FieldType.USER: "dana",
}
_KINDS: Mapping[str, Any] = {
    "array": ["x", "y"],
    "boolean": True,
    "integer": 1,
    "null": None,
    "number": 1,
    "object": {"key": "x"},
}
_REQUEST = {
    "id": "00000000-0000-4000-8000-000000000000",
    "timestamp": "2026-01-05T09:00:00Z",
    "correlation_id": "00000000-0000-4000-8000-000000000000",
    "user": {"id": "dana", "email": "dana@example.com", "teams": ["team-orders", "team-web"]},
}


def sample_forms(item: CatalogDocument) -> list[dict[str, Any]]:
    """Return values that a form might be sent with: all that are shown together, and the fewest.

    Empty where the form does not work.
    """
    try:
        form = item.form
    except FormError:
        return []
    everything = {field.id: value_of(field) for field in item.fields}
    needed = {one.id: everything[one.id] for one in item.fields if one.is_always_required}
    found = [form.validate(given, _A_DAY).values for given in (everything, needed)]
    absent = dict.fromkeys(everything)
    return [absent | values for values in found]


def value_of(field: FieldDefinition) -> Any:
    """Return a value of the field's type; its constraints other than the choices do not matter."""
    if field.default is not None and isinstance(field.default, str | int | float | bool):
        return field.default
    choices = [choice.value for choice in field.choices or ()]
    match field.type:
        case FieldType.LIST:
            row = {inner.id: value_of(inner) for inner in field.fields}
            found: Any = [row] * _several(field)
        case FieldType.MULTISELECT:
            found = (choices or [_TEXT, _OTHER])[: _several(field)]
        case FieldType.INTEGER | FieldType.NUMBER if not choices:
            least = field.validation.min
            found = least if isinstance(least, int | float) else 1
        case FieldType.JSON if not choices:
            found = value_for(field.validation.json_schema or {"type": "object"}, several=2)
        case _:
            found = choices[0] if choices else _VALUES.get(field.type, _TEXT)
    return found


def _several(field: FieldDefinition) -> int:
    """Return two, for what must stand between two, unless a list has one entry at most."""
    most = field.constraint("max_items")
    return 2 if most is None else min(2, most)


def value_for(schema: Any, *, several: int = 1) -> Any:
    """Return a value that a JSON Schema describes, its own example where it has one.

    Its outermost lists have ``several`` entries, those within them one: twice at each level would
    be too many.
    """
    if not isinstance(schema, Mapping):
        return _TEXT
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        return {name: value_for(one, several=several) for name, one in properties.items()}
    if isinstance(schema.get("items"), Mapping):
        most = schema.get("maxItems")
        return [value_for(schema["items"])] * (
            min(several, most) if isinstance(most, int) else several
        )
    kind = schema.get("type")
    return _KINDS.get(kind, _TEXT) if isinstance(kind, str) else _TEXT


def sample_scopes(
    metadata: Any, fields: Mapping[str, Any], found: Inspection, outputs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return scopes in which everything exists that a template reads."""
    scopes: dict[str, Any] = {
        "fields": dict(fields),
        "metadata": metadata,
        "request": {**_REQUEST, "data": dict(fields)},
        "system": dict.fromkeys(("hostname", "region", "environment", "account"), _TEXT),
        "environment": {},
        "outputs": {key: dict(value) for key, value in outputs.items()},
        "fulfillment": {},
        "components": {},
        "secrets": {},
    }
    for use in found.uses:
        if use[0] in _UNKNOWN:
            _give(scopes, _names(use))
    return scopes


_UNKNOWN = frozenset({"environment", "outputs", "fulfillment", "components", "secrets"})


def _names(use: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of a path as far as they are known."""
    for name in use:
        if name == "*":
            return
        yield name


def _give(scopes: dict[str, Any], path: Iterator[str]) -> None:
    """Set the value at a path, unless there is one."""
    here: Any = scopes
    names = list(path)
    for name in names[:-1]:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            return
    here.setdefault(names[-1], _TEXT)
