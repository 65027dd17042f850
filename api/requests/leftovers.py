"""What a request has left in targets and who has cleaned it up, as API models."""

from collections.abc import Mapping, Sequence

from api.requests import schemas
from api.schemas import JsonObject
from db.models import CleanupDone, Request, RequestAction
from db.row_conversion import state_of
from pao.core.payloads.failures import PartialResource
from pao.core.resources import entry_id, instructions_for, orphaned_resources, resource_entry_id
from pao.core.timestamps import timestamp

DoneCleanups = Mapping[tuple[str, str], CleanupDone]
"""What people have cleaned up, by request and entry."""


def left_behind(
    row: Request, actions: Sequence[RequestAction], done: DoneCleanups
) -> list[schemas.Leftover]:
    """Return what is left in targets that no action of the request owns any longer.

    What failed actions left is in the error context.
    """
    return [
        _leftover(str(row.id), one.action_id, left, done)
        for one in actions
        for left in orphaned_resources(str(row.id), state_of(one))
    ]


def error_context(row: Request, done: DoneCleanups) -> JsonObject | None:
    """Return the error context with an id for every entry of cleanup, and who has done it."""
    if not row.error_context:
        return None
    cleanup = [
        _cleanup(str(row.id), entry, done) for entry in row.error_context.get("cleanup") or ()
    ]
    return {**row.error_context, "cleanup": cleanup}


def _leftover(
    request_id: str, action_id: str, left: PartialResource, done: DoneCleanups
) -> schemas.Leftover:
    entry = resource_entry_id(action_id, left)
    return schemas.Leftover(
        entry_id=entry,
        action=action_id,
        type=left.type,
        id=left.id,
        url=left.url,
        instructions=instructions_for(left),
        done=_cleanup_done(done.get((request_id, entry))),
    )


def _cleanup(request_id: str, stored: JsonObject, done: DoneCleanups) -> JsonObject:
    """Add to an entry its id, which earlier versions did not store, and who has done it."""
    entry = stored.get("entryId") or entry_id(
        stored.get("action"), stored.get("resource"), stored.get("instructions")
    )
    owner = stored.get("requestId") or request_id
    return {**stored, "entryId": entry, "done": _cleanup_done(done.get((owner, entry)))}


def _cleanup_done(row: CleanupDone | None) -> schemas.CleanupDone | None:
    if row is None:
        return None
    return schemas.CleanupDone(by=row.done_by, at=timestamp(row.done_at), note=row.note)
