"""Finds the passwords among a form's values, including those in rows of lists. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pao.core.field_paths import row_field_path

_PASSWORD = "password"  # noqa: S105 -- the name of a field type


@dataclass(frozen=True, slots=True)
class PasswordFields:
    """The fields of type ``password``: those of the form, and those in the rows of its lists."""

    fields: frozenset[str] = frozenset()
    in_rows: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def holders(self) -> frozenset[str]:
        """The ids of the form's fields that are passwords or have some in their rows."""
        return self.fields | self.in_rows.keys()

    def values_in(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the passwords in these values, by their paths."""
        return dict(self._items(values))

    def _items(self, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name in sorted(self.fields):
            if values.get(name) is not None:
                yield name, values[name]
        for name in sorted(self.in_rows):
            rows = values.get(name)
            for index, row in enumerate(rows if isinstance(rows, list) else ()):
                for inner in sorted(self.in_rows[name]):
                    if isinstance(row, Mapping) and row.get(inner) is not None:
                        yield row_field_path(name, index, inner), row[inner]

    def without(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values without passwords; rows stay, even if they become empty."""
        remaining = {name: value for name, value in values.items() if name not in self.fields}
        for name, inner in self.in_rows.items():
            rows = remaining.get(name)
            if isinstance(rows, list):
                remaining[name] = [_without_passwords(row, inner) for row in rows]
        return remaining

    def replace(
        self, values: Mapping[str, Any], change: Callable[[str, Any], Any]
    ) -> dict[str, Any]:
        """Return the values with every password replaced by ``change`` of its path and value."""
        replaced = {path: change(path, value) for path, value in self._items(values)}
        copy = dict(values)
        copy |= {name: replaced[name] for name in self.fields if name in replaced}
        for name, inner in self.in_rows.items():
            rows = values.get(name)
            if isinstance(rows, list):
                copy[name] = [
                    _replace_in_row(row, name, i, inner, replaced) for i, row in enumerate(rows)
                ]
        return copy


def _replace_in_row(
    row: Any, list_id: str, index: int, inner: frozenset[str], replaced: Mapping[str, Any]
) -> Any:
    if not isinstance(row, Mapping):
        return row
    paths = {name: row_field_path(list_id, index, name) for name in inner}
    return dict(row) | {name: replaced[path] for name, path in paths.items() if path in replaced}


def _without_passwords(row: Any, inner: frozenset[str]) -> Any:
    if not isinstance(row, Mapping):
        return row
    return {name: value for name, value in row.items() if name not in inner}


def passwords_of(definition: Mapping[str, Any]) -> PasswordFields:
    """Return the passwords of an item's document, whose values are never stored in clear."""
    form = (definition.get("presentation") or {}).get("form") or {}
    fields = [one for group in form.get("groups") or [] for one in group.get("fields") or []]
    rows = {str(one.get("id")): _ids(one.get("fields") or []) for one in fields}
    return PasswordFields(_ids(fields), {name: inner for name, inner in rows.items() if inner})


def _ids(fields: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(str(one.get("id")) for one in fields if one.get("type") == _PASSWORD)
