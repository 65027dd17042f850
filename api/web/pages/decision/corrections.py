"""Fields of a failed request that a retry may correct: those that its open actions use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from api.requests.reading import Stored
from api.requests.retry_preview import open_actions
from api.web.fields import Entered, GroupView, errors_by_field, groups_of
from api.web.words import _
from catalog.document_kinds import parse_definition
from catalog.forms.definition import FieldDefinition
from catalog.forms.form import Form
from catalog.forms.posted import read_posted
from catalog.forms.values import equal
from catalog.forms.writing import KEPT_APART, written
from catalog.secrets import with_stars
from pao.core.errors import ErrorCode, PaoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """The fields, as they are shown; what was changed, and what cannot be read."""

    fields: dict[str, FieldDefinition]
    groups: list[GroupView]
    changes: dict[str, Any]
    errors: dict[str, str]


def corrections_of(stored: Stored, posted: Mapping[str, Sequence[str]]) -> Corrections:
    """Return the correctable fields with what was posted, else with what the request holds."""
    form = _form(stored)
    kept = with_stars(stored.row.fields, form.passwords)
    used = _used(stored, form)
    fields = {name: one for name, one in form.fields.items() if name in used and not one.read_only}
    today = datetime.now(UTC).date()
    texts: dict[str, Sequence[str]] = {
        name: written(form.fields[name], value)
        for name, value in kept.items()
        if name in form.fields and form.fields[name].type not in KEPT_APART
    }
    secrets = {name for name in kept if name in fields and fields[name].type in KEPT_APART}
    reading = read_posted(form, texts | dict(posted), today)
    errors = errors_by_field(reading.errors)
    changes = {
        name: value
        for name in posted
        if name in fields and name not in errors
        for value in [reading.values.get(name)]
        if not equal(kept.get(name), value)
    }
    entered = Entered(
        texts=texts | {name: one for name, one in posted.items() if name not in secrets},
        sealed=dict.fromkeys(secrets, _("Kept as it is")),
        visible=frozenset(form.visible(reading.values, today)) | frozenset(kept),
        # What a request holds already is not asked for again.
        required=frozenset(form.fields),
        errors=errors,
        today=today,
    )
    groups = groups_of(form.definition.groups, entered)
    return Corrections(
        fields=fields,
        groups=[shown for one in groups if (shown := _only(one, fields)).fields],
        changes=changes,
        errors=errors,
    )


def _only(group: GroupView, fields: Mapping[str, FieldDefinition]) -> GroupView:
    return GroupView(
        index=group.index,
        label=group.label,
        description="",
        collapsible=False,
        fields=tuple(one for one in group.fields if one.id in fields and one.shown),
    )


def _used(stored: Stored, form: Form) -> set[str]:
    """Return the fields that what failed and what follows it use; all where that is not known."""
    used: set[str] = set()
    for action in open_actions(stored, None):
        if action.reads is None:
            return set(form.fields)
        used |= {one.split(".")[1] for one in action.reads if one.startswith("fields.")}
        if "fields" in action.reads:
            return set(form.fields)
    return used


def _form(stored: Stored) -> Form:
    try:
        return parse_definition(stored.row.item_definition).form
    except ValidationError as error:
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            _("This version of PAO cannot read the form of this request."),
        ) from error
