"""What rooms below the catalog must know of an item's document: plain data, nothing parsed."""

from typing import Any


def password_fields(definition: dict[str, Any]) -> frozenset[str]:
    """Give the ids of the fields of type ``password``, whose values are never stored in clear."""
    form = (definition.get("presentation") or {}).get("form") or {}
    return frozenset(
        str(field.get("id"))
        for group in form.get("groups") or []
        for field in group.get("fields") or []
        if field.get("type") == "password"
    )
