"""Fields of a form as pages show them: what was entered, what is wrong, how to enter it.

Used wherever fields are filled in: requests, and corrections of a retry. What a text means is
said by catalog/forms/reading.py, what is right by the form; nothing of that is repeated here.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from api.web.words import _
from catalog.forms import OfferedChoices
from catalog.forms.definition import (
    MOST_ROWS,
    Choice,
    FieldDefinition,
    FieldType,
    GroupDefinition,
)
from catalog.forms.fields_resolver import default_of
from catalog.forms.posted import row_numbers
from catalog.forms.writing import WRITE_ONLY, as_text, input_texts, row_input_texts
from pao.core.field_paths import row_field_path

FILTERED_FROM = 30
"""From this many choices on, there is a filter above them."""

_INPUTS = {
    FieldType.EMAIL: "email",
    FieldType.DATE: "date",
    FieldType.TIME: "time",
    FieldType.URL: "url",
}
_AREAS = frozenset({FieldType.TEXTAREA, FieldType.JSON, FieldType.LIST})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER})


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a field."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A field as a template shows it; ``kind`` names the macro.

    ``place`` is unique in the form: its number; in a row also the row's and its own.
    ``name`` is the one under which it is posted.
    """

    id: str
    place: str
    name: str
    label: str
    kind: str
    input_type: str = "text"
    text: str = ""
    options: tuple[Option, ...] = ()
    hint: str = ""
    empty: str = ""
    trouble: str = ""
    """Why its choices are missing."""
    awaited: bool = False
    """Whether its choices are still being loaded."""
    note: str = ""
    """A note shown instead of its choices."""
    optional: bool = False
    placeholder: str = ""
    error: str = ""
    shown: bool = True
    entered: str = ""
    sealed: str = ""
    """The entered value, sealed, if the page itself keeps it."""
    dropped: bool = False
    """Whether the value entered before is to be removed."""
    code: bool = False
    numeric: bool = False
    accept: str = ""
    rows: "tuple[RowView, ...]" = ()
    most_rows: int = 0

    @property
    def key(self) -> str:
        """The id of the element; ids of fields may be any text."""
        return f"f{self.place}"

    @property
    def described_by(self) -> str:
        """The elements that describe the input."""
        has_hint = self.hint or self.empty or self.kind == "moment"
        parts = ((has_hint, "hint"), (True, "error"))
        return " ".join(f"{self.key}-{part}" for wanted, part in parts if wanted)

    @property
    def has_filter(self) -> bool:
        """Whether there are enough choices to need a filter."""
        return len(self.options) >= FILTERED_FROM

    @property
    def offer(self) -> str:
        """A short hash of what it offers now; another one means other choices."""
        if self.kind not in {"select", "checkboxes"} and not self.trouble and not self.awaited:
            return ""
        content = repr((self.awaited, self.trouble, [(o.value, o.label) for o in self.options]))
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    def each(self) -> "Iterator[FieldView]":
        """Yield it, and the fields in its rows."""
        yield self
        for row in self.rows:
            yield from row.fields

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Its problems and those of its rows: the id of an element, and a message."""
        own = [(self.key, self.error)] if self.error else []
        for row in self.rows:
            row_problems = [(row.key, row.error)] if row.error else []
            row_problems += [(one.key, one.error) for one in row.fields if one.error and one.shown]
            own += [(key, f"{row.label}: {text}") for key, text in row_problems]
        return own


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A row of a list; ``number`` identifies it for as long as it exists."""

    number: int
    key: str
    label: str
    fields: tuple[FieldView, ...]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group of fields, or a step of a wizard."""

    index: int
    label: str
    description: str
    collapsible: bool
    fields: tuple[FieldView, ...]

    @property
    def shown(self) -> bool:
        """Whether any of its fields applies."""
        return any(one.shown for one in self.fields)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The problems of its fields: the id of an element, and a message."""
        return [problem for one in self.fields if one.shown for problem in one.problems]

    @property
    def wrong(self) -> int:
        """How many problems its fields have."""
        return len(self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormInput:
    """What is known of a form that is being filled in.

    Texts and what is sealed are kept by the names under which they are posted; all else is known
    by the paths of fields, in which rows are counted.
    """

    texts: Mapping[str, Sequence[str]]
    sealed: Mapping[str, str] = field(default_factory=dict)
    """Of passwords and files that were entered: what may be shown of them."""
    in_page: Mapping[str, str] = field(default_factory=dict)
    """Those that the page keeps until it is sent, sealed."""
    dropped: Collection[str] = ()
    """Those to be removed."""
    computed: Mapping[str, Any] = field(default_factory=dict)
    offered: Mapping[str, OfferedChoices] = field(default_factory=dict)
    """Choices that come from elsewhere."""
    awaited: frozenset[str] = frozenset()
    """Fields whose choices are not loaded yet."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Notes on choices that are handled differently than in a form in service."""
    visible: frozenset[str]
    required: frozenset[str]
    errors: Mapping[str, str] = field(default_factory=dict)
    today: date
    by_row: bool = False
    """Whether lists are filled in row by row; otherwise as a text of JSON."""


def groups_of(groups: Iterable[GroupDefinition], form_input: FormInput) -> list[GroupView]:
    """Return the groups of a form with everything that was entered."""
    views, index = [], 0
    for number, group in enumerate(groups):
        fields = []
        for one in group.fields:
            fields.append(view_of(one, str(index), form_input))
            index += 1
        views.append(
            GroupView(
                index=number,
                label=group.label,
                description=group.description or "",
                collapsible=group.collapsible,
                fields=tuple(fields),
            )
        )
    return views


def view_of(
    one: FieldDefinition,
    place: str,
    form_input: FormInput,
    *,
    name: str | None = None,
    path: str | None = None,
) -> FieldView:
    """Return one field; in a row it has a path, and a name by which it is posted."""
    name, path = name or one.id, path or one.id
    texts = form_input.texts.get(name)
    default = form_input.computed.get(path, default_of(one, form_input.today))
    current_texts = list(texts) if texts is not None else _preset(one, default)
    offered = form_input.offered.get(path)
    choices = offered.choices if offered else one.choices or ()
    text, awaited = current_texts[-1] if current_texts else "", path in form_input.awaited
    kind = _kind(one, offered, awaited=awaited)
    rows = _rows(one, place, form_input, default) if one.type is FieldType.LIST else ()
    return FieldView(
        id=one.id,
        place=place,
        name=name,
        label=one.label,
        kind="rows" if one.type is FieldType.LIST and form_input.by_row else kind,
        input_type=_INPUTS.get(one.type, "text"),
        text=text if one.type not in WRITE_ONLY else "",
        options=_options(one, choices, current_texts, awaited=awaited),
        hint=one.description or "",
        trouble=(offered.problem or "") if offered else "",
        awaited=awaited,
        note=form_input.notes.get(path, ""),
        empty=_when_empty(one, default),
        optional=path not in form_input.required and default is None and not one.read_only,
        placeholder=one.placeholder or "",
        error=form_input.errors.get(path, ""),
        shown=path in form_input.visible,
        entered=form_input.sealed.get(name, ""),
        sealed=form_input.in_page.get(name, ""),
        dropped=name in form_input.dropped,
        code=one.type in {FieldType.JSON, FieldType.LIST},
        numeric=one.type in _NUMBERS,
        accept=",".join(one.validation.types or ()) if one.type is FieldType.FILE else "",
        rows=rows,
        most_rows=one.constraint("max_items") or MOST_ROWS,
    )


def _rows(
    one: FieldDefinition, place: str, form_input: FormInput, default: Any
) -> tuple[RowView, ...]:
    if not form_input.by_row:
        return ()
    if one.id not in form_input.texts:
        preset = rows_at_first(one, default)
        form_input = replace(form_input, texts={**form_input.texts, **preset})
    rows = []
    for index, number in enumerate(row_numbers(one, form_input.texts)):
        label = _("%(list)s %(number)s") % {"list": one.label, "number": index + 1}
        fields = tuple(
            view_of(
                inner,
                f"{place}-{number}-{column}",
                form_input,
                name=row_field_path(one.id, number, inner.id),
                path=row_field_path(one.id, index, inner.id),
            )
            for column, inner in enumerate(one.fields)
        )
        error = form_input.errors.get(f"{one.id}[{index}]", "")
        key = f"f{place}-{number}"
        rows.append(RowView(number=number, key=key, label=label, fields=fields, error=error))
    return tuple(rows)


def rows_at_first(one: FieldDefinition, default: Any) -> dict[str, list[str]]:
    """Return the texts of the rows that a list has before anybody has filled it in."""
    if isinstance(default, list) and default:
        return row_input_texts(one, default)
    if not one.is_always_required:
        return {}
    preset = {inner.id: inner.plain_default for inner in one.fields}
    return row_input_texts(one, [preset] * min(one.constraint("min_items") or 1, MOST_ROWS))


def _preset(one: FieldDefinition, default: Any) -> list[str]:
    # A computed default would stop following the other fields once it is posted as a text.
    return [] if one.template is not None and not one.read_only else input_texts(one, default)


def _kind(one: FieldDefinition, offered: OfferedChoices | None, *, awaited: bool) -> str:
    if one.read_only:
        return "fixed"
    free = offered is not None and offered.problem is not None and offered.lenient
    if one.type is FieldType.MULTISELECT:
        chosen = one.choices is not None or offered is not None or awaited
        return "checkboxes" if chosen and not free else "area"
    if offered is not None or awaited:
        return "line" if free else "select"
    by_type = {
        FieldType.BOOLEAN: "checkbox",
        FieldType.SELECT: "select",
        FieldType.PASSWORD: "password",
        FieldType.FILE: "file",
        FieldType.DATETIME: "moment",
    }
    return by_type.get(one.type, "area" if one.type in _AREAS else "line")


def _options(
    one: FieldDefinition, choices: Sequence[Choice], texts: Sequence[str], *, awaited: bool
) -> tuple[Option, ...]:
    if one.type is FieldType.BOOLEAN:
        return (Option("true", one.label, bool(texts)),)
    if awaited:
        # Earlier choices stay selected while the choices are loaded.
        return tuple(Option(text, text, chosen=True) for text in texts if text)
    return tuple(
        Option(as_text(choice.value), choice.label, as_text(choice.value) in texts)
        for choice in choices
    )


def _when_empty(one: FieldDefinition, default: Any) -> str:
    """Return what an emptied field means, where that is not nothing."""
    choosing = {FieldType.BOOLEAN, FieldType.SELECT, FieldType.PASSWORD, FieldType.FILE}
    if default is None or one.read_only or one.type in choosing:
        return ""
    if one.type is FieldType.MULTISELECT:
        return ""
    return _("If left empty: %(default)s") % {"default": as_text(default)}
