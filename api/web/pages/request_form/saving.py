"""What a form posts is saved into its draft; the first save makes the draft."""

import time
from dataclasses import replace
from uuid import UUID

from starlette.datastructures import FormData

from api.auth.principal import Principal
from api.drafts.service import Draft, without
from api.requests.schemas import Request as Document
from api.services import Services
from api.web.forms import text_of
from api.web.posted_fields import posted_secrets, posted_texts, removed_secrets
from api.web.rows import edit_of, with_edit, without_rows
from pao.core.errors import PaoError


async def save_draft(
    services: Services, caller: Principal, draft_id: str, posted: FormData
) -> tuple[Draft, str | None]:
    """Save what was posted; return the draft, and the element where an edit of rows has led."""
    stored = await services.drafts.find(caller, draft_id)
    item_id = stored.item_id if stored else text_of(posted, "item")
    item = (await services.catalog.served_item(item_id)).loaded.item
    new = stored or Draft(
        id=draft_id,
        item_id=item_id,
        item_version=item.version,
        texts={},
        sealed={},
        repeats=await repeated_request_id(services, caller, text_of(posted, "repeats"), item_id),
    )
    fields, place = item.form.fields, None
    entered, secrets = posted_texts(fields, posted), await posted_secrets(fields, posted)
    shown = [one for one in fields if f"has.{one}" in posted]
    edit = edit_of(text_of(posted, "rows"), fields)

    def change(draft: Draft) -> Draft:
        nonlocal place
        texts = without_rows(draft.texts, shown, fields) | entered
        # Rows are posted one by one; a text of all of them could hold passwords in clear text.
        texts |= {name: [] for name, one in fields.items() if one.fields and name in texts}
        if edit is not None:
            texts, place = with_edit(fields, texts, edit)
        # A file goes with its row.
        gone = {one for one in draft.sealed if "[" in one and one not in texts}
        # The version at which the form was started is kept, so that a later one can be mentioned.
        changed = replace(draft, texts=texts, saved=_number(posted, draft))
        return without(changed, removed_secrets(posted).difference(secrets) | gone)

    return await services.drafts.save(caller, new, secrets, change), place


async def repeated_request_id(
    services: Services, caller: Principal, request_id: str, item_id: str
) -> str | None:
    """Return the id of an earlier request of this item that the caller may see, or None."""
    document = await earlier_request(services, caller, request_id)
    return document.id if document and document.catalog_item_id == item_id else None


async def earlier_request(
    services: Services, caller: Principal, request_id: str | None
) -> Document | None:
    """Return a request that is to be repeated, or None where the caller sees no such request."""
    try:
        stored = await services.reading.get(caller, str(UUID(request_id or "")))
    except (PaoError, ValueError):
        return None
    return services.reading.present(stored)


def _number(posted: FormData, draft: Draft) -> int:
    """Return the number of a save: what the browser counts, else one that is later than all."""
    given = text_of(posted, "saved")
    if given.isdecimal() and len(given) < 16:  # noqa: PLR2004 -- milliseconds since 1970
        return int(given)
    return max(draft.saved + 1, int(time.time() * 1000))
