"""Fields of a form as pages show them: what was entered, what is wrong, how to enter it.

Used wherever somebody fills in fields: requests, and corrections of a retry. What a text means is
said by catalog/forms/reading.py, what is right by the form; nothing of that is repeated here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import FormData, UploadFile

from api.web.words import _
from catalog.forms import Offered
from catalog.forms.definition import Choice, FieldDefinition, FieldType, GroupDefinition
from catalog.forms.files import file_value
from catalog.forms.form import FieldError
from catalog.forms.judge import default_of
from catalog.forms.reading import as_text, written

FILTERED_FROM = 30
"""From so many choices on, a filter stands above them."""

_INPUTS = {
    FieldType.EMAIL: "email",
    FieldType.DATE: "date",
    FieldType.TIME: "time",
    FieldType.URL: "url",
}
_AREAS = frozenset({FieldType.TEXTAREA, FieldType.JSON, FieldType.LIST})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER})
KEPT_APART = frozenset({FieldType.PASSWORD, FieldType.FILE})
"""Values that are sealed, and never come back into a page."""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a field."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A field as a template shows it; ``kind`` names the macro."""

    id: str
    index: int
    label: str
    kind: str
    input_type: str = "text"
    text: str = ""
    options: tuple[Option, ...] = ()
    hint: str = ""
    empty: str = ""
    optional: bool = False
    placeholder: str = ""
    error: str = ""
    shown: bool = True
    entered: str = ""
    code: bool = False
    numeric: bool = False

    @property
    def key(self) -> str:
        """The id of the element; ids of fields may be any text."""
        return f"f{self.index}"

    @property
    def name(self) -> str:
        """The name under which it is posted."""
        return f"fields.{self.id}"

    @property
    def described_by(self) -> str:
        """The elements that describe the input."""
        parts = ((self.hint or self.empty, "hint"), (True, "error"))
        return " ".join(f"{self.key}-{part}" for wanted, part in parts if wanted)


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
    def wrong(self) -> int:
        """How many of its fields have a problem."""
        return sum(bool(one.error) for one in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What is known of a form that is being filled in."""

    texts: Mapping[str, Sequence[str]]
    sealed: Mapping[str, str] = field(default_factory=dict)
    """Of passwords and files that were entered: what may be shown of them."""
    computed: Mapping[str, Any] = field(default_factory=dict)
    offered: Mapping[str, Offered] = field(default_factory=dict)
    """Choices that come from elsewhere."""
    visible: frozenset[str]
    required: frozenset[str]
    errors: Mapping[str, str] = field(default_factory=dict)
    today: date


def groups_of(groups: Iterable[GroupDefinition], entered: Entered) -> list[GroupView]:
    """Return the groups of a form with everything that was entered."""
    views, index = [], 0
    for number, group in enumerate(groups):
        fields = []
        for one in group.fields:
            fields.append(view_of(one, index, entered))
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


def view_of(one: FieldDefinition, index: int, entered: Entered) -> FieldView:
    """Return one field."""
    texts = entered.texts.get(one.id)
    default = entered.computed.get(one.id, default_of(one, entered.today))
    shown = list(texts) if texts is not None else _preset(one, default)
    offered = entered.offered.get(one.id)
    choices = offered.choices if offered else one.choices or ()
    text = shown[-1] if shown else ""
    return FieldView(
        id=one.id,
        index=index,
        label=one.label,
        kind=_kind(one, offered),
        input_type=_INPUTS.get(one.type, "text"),
        text=text if one.type not in KEPT_APART else "",
        options=_options(one, choices, shown),
        hint=" ".join(filter(None, (one.description, offered.problem if offered else None))),
        empty=_when_empty(one, default),
        optional=one.id not in entered.required and default is None and not one.read_only,
        placeholder=one.placeholder or "",
        error=entered.errors.get(one.id, ""),
        shown=one.id in entered.visible,
        entered=entered.sealed.get(one.id, ""),
        code=one.type in {FieldType.JSON, FieldType.LIST},
        numeric=one.type in _NUMBERS,
    )


def errors_by_field(errors: Iterable[FieldError]) -> dict[str, str]:
    """Return the first error of each field; those inside of rows count for their list."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(error.field.partition("[")[0], error.message)
    return found


def posted_texts(fields: Mapping[str, FieldDefinition], posted: FormData) -> dict[str, list[str]]:
    """Return the texts of every field that the page showed, passwords and files left out.

    A marker says that a field was shown: an unticked checkbox posts nothing.
    """
    return {
        name: [one for one in posted.getlist(f"fields.{name}") if isinstance(one, str)]
        for name, definition in fields.items()
        if f"has.{name}" in posted and definition.type not in KEPT_APART
    }


async def posted_secrets(fields: Mapping[str, FieldDefinition], posted: FormData) -> dict[str, str]:
    """Return the passwords and files that were entered; an empty input leaves what is kept."""
    found: dict[str, str] = {}
    for name, definition in fields.items():
        value = posted.get(f"fields.{name}")
        if definition.type is FieldType.PASSWORD and isinstance(value, str) and value:
            found[name] = value
        elif definition.type is FieldType.FILE and isinstance(value, UploadFile):
            content = await value.read()
            if content or value.filename:
                found[name] = file_value(
                    definition, content, name=value.filename or "", declared=value.content_type
                )
    return found


def removed(posted: FormData) -> frozenset[str]:
    """Return the fields whose kept password or file is to be removed."""
    return frozenset(name.removeprefix("drop.") for name in posted if name.startswith("drop."))


def shown_value(one: FieldDefinition, value: Any) -> str:
    """Return a value as a reader sees it: labels of choices, Yes and No, never a secret."""
    if value is None or value in ("", []):
        return _("Not given")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    labels = {as_text(choice.value): choice.label for choice in one.choices or ()}
    if isinstance(value, list) and one.type is FieldType.MULTISELECT:
        return ", ".join(labels.get(as_text(part), as_text(part)) for part in value)
    if one.type is FieldType.FILE:
        return file_words(str(value))
    if one.type in {FieldType.JSON, FieldType.LIST}:
        return "\n".join(written(one, value))
    return labels.get(as_text(value), as_text(value))


def file_words(value: str) -> str:
    """Return name and size of a file that is a data URL."""
    head, _comma, content = value.partition(",")
    name = next((p[5:] for p in head.split(";") if p.startswith("name=")), "")
    size = len(content) * 3 // 4 - content[-2:].count("=")
    words = f"{size / 1024:.1f} kB" if size >= 1024 else f"{size} B"  # noqa: PLR2004 -- a kB
    return f"{unquote(name) or _('File')} ({words})"


def _preset(one: FieldDefinition, default: Any) -> list[str]:
    # A computed default would stop following the other fields once it is posted as a text.
    return [] if one.template is not None and not one.read_only else written(one, default)


def _kind(one: FieldDefinition, offered: Offered | None) -> str:
    if one.read_only:
        return "fixed"
    free = offered is not None and offered.problem is not None and offered.lenient
    if one.type is FieldType.MULTISELECT:
        chosen = one.choices is not None or offered is not None
        return "checkboxes" if chosen and not free else "area"
    if offered is not None:
        return "line" if free else "select"
    named = {
        FieldType.BOOLEAN: "checkbox",
        FieldType.SELECT: "select",
        FieldType.PASSWORD: "password",
        FieldType.FILE: "file",
    }
    return named.get(one.type, "area" if one.type in _AREAS else "line")


def _options(
    one: FieldDefinition, choices: Sequence[Choice], texts: Sequence[str]
) -> tuple[Option, ...]:
    if one.type is FieldType.BOOLEAN:
        return (Option("true", one.label, bool(texts)),)
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
