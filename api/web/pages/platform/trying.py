"""The form of a pasted document, filled in to see what would be sent. Nobody is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.datastructures import FormData

from api.auth.principal import Principal
from api.requests.prepared import requester_of
from api.services import Services
from api.web.fields import GroupView, groups_of
from api.web.forms import text_of
from api.web.pages.request_form.filling import entered_of, with_rows
from api.web.posted_fields import field_named, posted_secrets, posted_texts
from api.web.problems import errors_by_way
from api.web.rows import edit_of, with_edit
from api.web.words import _
from catalog.forms import Offered
from catalog.forms.posted import read_posted
from catalog.model import CatalogDocument


@dataclass(frozen=True, slots=True)
class Tried:
    """A form as its requesters will see it, and the values that were entered."""

    groups: list[GroupView]
    values: dict[str, Any]


async def tried(
    services: Services, caller: Principal, item: CatalogDocument, posted: FormData
) -> Tried:
    """Return the form of a document with what was entered; choices of others are not asked for."""
    form, today = item.form, datetime.now(UTC).date()
    about = services.options.about(item, requester_of(caller))
    # A page posts a marker for each field that it has shown; another document has other fields.
    filled_in = any(f"has.{name}" in posted for name in form.fields)
    texts: Mapping[str, Sequence[str]] = posted_texts(form.fields, posted)
    edit = edit_of(text_of(posted, "rows"), form.fields)
    texts = with_rows(form, dict(texts), today)
    if edit is not None:
        texts, _place = with_edit(form.fields, texts, edit)
    names = partial(field_named, form.fields)
    secrets = {
        name: [one]
        for name, one in (await posted_secrets(form.fields, posted)).items()
        if names(name) is not None
    }
    unasked = Offered(problem=_("a preview asks nobody"), lenient=True)
    asking = {name: unasked for name, one in form.fields.items() if one.options is not None}
    context = replace(about, offered=asking)
    reading = await asyncio.to_thread(read_posted, form, {**texts, **secrets}, today, context)
    result = await asyncio.to_thread(reading.judged_by, form, today, context)
    entered = entered_of(form, texts, result, today)
    shown = replace(
        entered, offered=asking, errors=errors_by_way(result.errors) if filled_in else {}
    )
    return Tried(groups_of(form.definition.groups, shown), reading.values)
