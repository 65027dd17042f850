"""A draft and its item's form together: what was entered, what it means, what is wrong."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from api.auth.principal import Principal
from api.catalog.service import Entry
from api.drafts.service import Draft
from api.requests.prepared import requester_of
from api.services import Services
from api.web.fields import (
    KEPT_APART,
    Entered,
    GroupView,
    errors_by_field,
    file_words,
    groups_of,
)
from api.web.words import _
from catalog.forms import Offered
from catalog.forms.definition import FieldType, Layout
from catalog.forms.form import Form, FormResult
from catalog.forms.reading import read_posted
from catalog.model import CatalogDocument
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.context import Requester

FIRST = 0
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A form that is being filled in."""

    entry: Entry
    draft: Draft
    values: dict[str, Any]
    result: FormResult
    entered: Entered

    @property
    def form(self) -> Form:
        """The form of the item as it is offered now."""
        return self.entry.loaded.item.form

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by field."""
        return errors_by_field(self.result.errors)

    @property
    def is_stepped(self) -> bool:
        """Whether its groups are steps, each on a page of its own."""
        return self.form.definition.layout is not Layout.SINGLE_PAGE

    def groups(self, *, checked: bool) -> list[GroupView]:
        """Return the groups as they are shown; with what is wrong, once that is asked for."""
        shown = replace(self.entered, errors=self.errors if checked else {})
        return groups_of(self.form.definition.groups, shown)

    def steps(self) -> list[int]:
        """Return the numbers of the groups that apply."""
        return [one.index for one in self.groups(checked=False) if one.shown]

    def step_after(self, step: int) -> int | None:
        """Return the next step that applies, or None after the last one."""
        return next((one for one in self.steps() if one > step), None)

    def first_wrong_step(self) -> int:
        """Return the first step with a problem."""
        wrong = (one.index for one in self.groups(checked=True) if one.wrong)
        return next(wrong, FIRST)

    def is_step_wrong(self, step: int) -> bool:
        """Return whether something is wrong in a step."""
        return any(one.wrong for one in self.groups(checked=True) if one.index == step)


async def fill(services: Services, caller: Principal, draft: Draft) -> Filling:
    """Read a draft by the form of its item; of an item that was removed, say so."""
    try:
        entry = await services.catalog.entry(draft.item_id)
    except PaoError as error:
        if error.code != ErrorCode.CATALOG_ITEM_NOT_FOUND:
            raise
        raise PaoError(
            ErrorCode.CATALOG_ITEM_NOT_FOUND,
            _("This service is not offered any more. Nothing was submitted."),
            status=GONE,
        ) from error
    item, who = entry.loaded.item, requester_of(caller)
    form, about, today = item.form, services.options.about(item, who), datetime.now(UTC).date()
    kept = services.drafts.secrets(draft)
    secrets = {name: one for name, one in kept.items() if name in form.fields}
    texts: dict[str, Sequence[str]] = {
        name: one for name, one in draft.texts.items() if name in form.fields
    }
    apart: dict[str, Sequence[str]] = {name: [one] for name, one in secrets.items()}
    # In threads: conditions and computed values are templates.
    reading = await asyncio.to_thread(read_posted, form, texts | apart, today, about)
    offered = await _offered(services, item, reading.values, who)
    about = replace(about, offered=offered)
    result = await asyncio.to_thread(reading.judged_by, form, today, about)
    return Filling(
        entry=entry,
        draft=draft,
        values=reading.values,
        result=result,
        entered=Entered(
            texts=texts,
            sealed={name: _mention(form, name, value) for name, value in secrets.items()},
            computed={name: result.values.get(name) for name in result.computed},
            offered=offered,
            visible=frozenset(result.visible),
            required=frozenset(result.required),
            today=today,
        ),
    )


async def _offered(
    services: Services, item: CatalogDocument, values: Mapping[str, Any], who: Requester
) -> dict[str, Offered]:
    """Return what the fields offer now whose choices come from elsewhere."""
    asked = [one.id for one in item.form.fields.values() if one.options is not None]
    found = await asyncio.gather(
        *(services.options.field_options(item, name, values, who) for name in asked)
    )
    return dict(zip(asked, found, strict=True))


def _mention(form: Form, name: str, value: str) -> str:
    """Return what may be shown of a value that is kept apart."""
    return file_words(value) if form.fields[name].type is FieldType.FILE else _("Entered before")


def linked(form: Form, query: Sequence[tuple[str, str]]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the texts that a link fills in, and what of it is not taken, in words."""
    texts: dict[str, list[str]] = {}
    notes: list[str] = []
    for key, value in query:
        if not key.startswith("fields."):
            continue
        name = key.removeprefix("fields.")
        one = form.fields.get(name)
        if one is None:
            notes.append(_("The link names a field that is not there: %(name)s.") % {"name": name})
        elif one.type in KEPT_APART or one.read_only:
            notes.append(_("%(label)s is not taken from a link.") % {"label": one.label})
        elif one.type is FieldType.BOOLEAN:
            texts[name] = ["true"] if value == "true" else []
        else:
            texts.setdefault(name, []).append(value)
    return texts, list(dict.fromkeys(notes))
