"""Old and new: the fields that a retry changes, and what that changes in the calls. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from api.requests.schemas import PlannedCall, RetryPreview
from api.web.line_diff import Lines, diff_lines
from api.web.pages.decision.corrections import Corrections
from api.web.shown_values import shown_value
from api.web.words import _
from catalog.forms.base import label_from_id
from catalog.forms.definition import FieldDefinition, FieldType

LONG = 2_000


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value and what it becomes; one of both may be missing."""

    label: str
    old: str
    new: str
    lines: Lines = ()
    """For texts of several lines: the removed, added and unchanged ones."""


@dataclass(frozen=True, slots=True)
class CallView:
    """What a retry would send: what is different, and all of it as data."""

    name: str
    type: str
    changes: list[ValueChange]
    data: str


def field_changes(
    preview: RetryPreview, corrections: Corrections, former: Mapping[str, Any]
) -> list[ValueChange]:
    """Return the changed fields with their labels, in words; secrets are not shown.

    Rows are compared with those of the ``former`` values, because the audit trail has only the
    number of rows of long lists.
    """
    found = []
    for name, change in preview.changes.items():
        field = corrections.fields.get(name)
        if field is None:
            found.append(ValueChange(name, _text(change.get("old")), _text(change.get("new"))))
        elif field.type is FieldType.PASSWORD:
            found.append(
                ValueChange(field.label, _("what was entered before"), _("what you entered"))
            )
        elif field.type is FieldType.LIST:
            found.append(_row_changes(field, former.get(name), corrections.changes.get(name)))
        else:
            old, new = (shown_value(field, change.get(side)) for side in ("old", "new"))
            found.append(ValueChange(field.label, old, new))
    return found


def _row_changes(field: FieldDefinition, former: Any, changed: Any) -> ValueChange:
    old, new = shown_value(field, former), shown_value(field, changed)
    if old == new:
        new = _("the same rows, with other passwords or files")
        return ValueChange(field.label, _("as they are"), new)
    return ValueChange(field.label, old, new, diff_lines(old, new))


def calls_of(preview: RetryPreview, names: Mapping[str, str]) -> list[CallView]:
    """Return the calls, each with what the corrected values change in it."""
    return [
        CallView(
            name=names.get(one.id, one.id),
            type=one.type,
            changes=list(_call_changes(one)),
            data=json.dumps(one.config, indent=2, ensure_ascii=False),
        )
        for one in preview.actions
    ]


def _call_changes(call: PlannedCall) -> Iterable[ValueChange]:
    if call.former is None:
        return
    old, new = dict(_flatten(call.former)), dict(_flatten(call.config))
    for path in dict.fromkeys([*old, *new]):
        if old.get(path) != new.get(path):
            before, after = _text(old.get(path)), _text(new.get(path))
            is_multiline = "\n" in before.strip() or "\n" in after.strip()
            lines = diff_lines(before, after) if is_multiline else ()
            yield ValueChange(_place(path), before, after, lines)


def _flatten(value: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """Yield every value with the path that leads to it."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flatten(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from _flatten(inner, f"{path} {number}")
    else:
        yield path, value


def _place(path: str) -> str:
    """Return a place in a configuration; parts of a ticket as people call them: "Summary"."""
    within, _dot, part = path.partition(".")
    if within != "ticket" or not part or "." in part:
        return path
    return label_from_id(part.removesuffix("Template"))


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
