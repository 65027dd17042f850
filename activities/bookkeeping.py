"""Mirrors the workflow's state into Postgres; decides nothing."""

from dataclasses import dataclass

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.event_log import log_events
from db.repositories.mirror import write_snapshot
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao.core import names
from pao.core.payloads.mirror import MirrorAnswer, Snapshot
from pao.core.payloads.requests import RequestInput


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Keeps the mirror; safe to share between tasks."""

    database: Database

    @activity.defn(name=names.MAKE_ROW_ACTIVITY)
    async def make_row(self, request_input: RequestInput) -> bool:
        """Recreate a request's row that Postgres has lost; False if it exists.

        Raises ``NoBundleYet``, which is retried, for a component whose bundle has no row.
        """
        link = request_input.bundle
        new = NewRequest(
            context=request_input.context,
            plan=request_input.plan,
            metadata=request_input.metadata,
            parent_id=link.request_id if link else None,
            component_id=link.component if link else None,
            via="workflow",
        )
        async with self.database.unit_of_work() as session:
            requests = RequestsRepository(session)
            if await requests.get(request_input.context.request_id) is not None:
                return False
            if link is not None and await requests.get(link.request_id) is None:
                raise ApplicationError("its bundle's row is missing too", type="NoBundleYet")
            if not await requests.insert(new):
                # Somebody else has created it meanwhile.
                return False
            if request_input.idempotency is not None:
                # If another request has taken it meanwhile, it keeps it.
                await requests.claim_idempotency(
                    request_input.idempotency, request_id=request_input.context.request_id
                )
        return True

    @activity.defn(name=names.MIRROR_ACTIVITY)
    async def mirror(self, snapshot: Snapshot) -> MirrorAnswer:
        """Write a snapshot; a state that the database refuses is a bug and is not retried."""
        try:
            recorded = await write_snapshot(self.database, snapshot)
        except (IntegrityError, DataError, ProgrammingError) as error:
            raise ApplicationError(
                f"the database rejected the state: {type(error.orig).__name__}",
                type=names.MIRROR_REFUSED,
                non_retryable=True,
            ) from error
        log_events(snapshot, recorded)
        return recorded.answer
