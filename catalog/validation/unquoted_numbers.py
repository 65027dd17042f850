"""Restores unquoted numbers as written where a text belongs: ``version: 1.10`` is not 1.1."""

from collections.abc import Iterable
from typing import Any

from catalog.loading import Path, YamlDocument, value_at
from catalog.validation.subject import Subject


def restore_texts(document: YamlDocument, data: dict[str, Any], paths: Iterable[Path]) -> bool:
    """Change ``data`` at these paths; False where none of them holds an unquoted number."""
    restored = [_restore(document.source(path), data, path) for path in paths]
    return any(restored)


def restore_configurations(subject: Subject, definition: dict[str, Any]) -> None:
    """Restore texts where the schema of an action type needs one, in the item and its data."""
    for path, action in subject.actions():
        places = [
            tuple(error.absolute_path)
            for error in subject.configuration_errors(action)
            if error.validator in {"type", "anyOf"} and _wants_text(error.schema)
        ]
        restored = False
        for place in places:
            where = (*path, "config", *place)
            source = subject.document.source(where)
            restored |= _restore(source, action.config, place)
            _restore(source, definition, where)
        if restored:
            subject.forget(action)


def _restore(source: str | None, data: Any, path: Path) -> bool:
    holder = value_at(data, path[:-1])
    if source is None or not path or not isinstance(holder, dict | list):
        return False
    key: Any = path[-1]
    if not isinstance(holder[key], int | float) or isinstance(holder[key], bool):
        return False
    holder[key] = source
    return True


def _wants_text(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    kinds = schema.get("type", [])
    members = schema.get("anyOf", ())
    return "string" in ([kinds] if isinstance(kinds, str) else kinds) or any(
        _wants_text(member) for member in members
    )
