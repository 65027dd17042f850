"""One retry of many requests that failed for the same cause, each checked individually.

The result for each request is stored with the bulk decision, whose id is the key of the form: sent
twice, or continued after an interruption, it decides about each request once.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.auth.principal import Principal
from api.requests.decision_idempotency import DecisionCall
from api.requests.decisions import DecisionService
from api.requests.presentation import failure
from api.requests.reading import ReadingService
from api.requests.schemas import RetryBody
from db.models import WebBulkDecision
from db.repositories.web_bulk_decisions import WebBulkDecisionsRepository
from db.session import Database
from pao.core.errors import ErrorCode, PaoError
from pao.core.failure_classes import Cause
from pao.core.resources import attempt_of
from pao.core.states import Decision, RequestStatus

MOST = 100
"""How many requests one bulk decision is about."""
AT_ONCE = 5
SECONDS = 15.0
"""How long one call takes at most; the next one continues."""
DONE = ""
_DID = {
    "retry": "retried it",
    "abort": "aborted it",
    "escalate": "escalated it",
    "cancel": "cancelled it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDecision:
    """A bulk decision; ``results`` has an empty text where the retry was taken, else why not."""

    id: str
    cause: str
    reason: str
    requests: tuple[str, ...]
    results: dict[str, str]

    @property
    def left(self) -> list[str]:
        """The requests that nothing was tried with yet."""
        return [one for one in self.requests if one not in self.results]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDecisionService:
    """Retries many requests, five at a time; ``decisions`` wait for no outcome."""

    database: Database
    decisions: DecisionService
    reading: ReadingService

    async def begin(
        self,
        caller: Principal,
        *,
        decision_id: str,
        cause: str,
        reason: str,
        requests: Sequence[str],
    ) -> BulkDecision:
        """Store a bulk decision, unless it is stored already; nothing is decided yet."""
        if not requests:
            raise PaoError(ErrorCode.VALIDATION_ERROR, "Choose at least one request.")
        if len(requests) > MOST:
            raise PaoError(ErrorCode.VALIDATION_ERROR, f"Choose at most {MOST} requests at a time.")
        if cause not in set(Cause):
            raise PaoError(ErrorCode.VALIDATION_ERROR, f"There is no cause {cause!r}.")
        async with self.database.unit_of_work() as session:
            await WebBulkDecisionsRepository(session).insert(
                decision_id, caller.id, cause=cause, reason=reason, requests=requests
            )
        return await self.get(caller, decision_id)

    async def get(self, caller: Principal, decision_id: str) -> BulkDecision:
        """Return a bulk decision of the caller, or raise ``NOT_FOUND``."""
        async with self.database.reading() as session:
            found = await WebBulkDecisionsRepository(session).get(decision_id, caller.id)
        if found is None:
            raise PaoError(ErrorCode.NOT_FOUND, "There is no such bulk decision.")
        return _bulk(found)

    async def run(self, caller: Principal, bulk: BulkDecision) -> BulkDecision:
        """Decide about what is left, within ``SECONDS``; return the updated bulk decision."""
        ends, waiting = time.monotonic() + SECONDS, iter(bulk.left)

        async def work() -> None:
            for request_id in waiting:
                result = await self._retry(caller, bulk, request_id)
                if result is not None:
                    async with self.database.unit_of_work() as session:
                        repository = WebBulkDecisionsRepository(session)
                        await repository.note(bulk.id, {request_id: result})
                if time.monotonic() > ends:
                    return

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return await self.get(caller, bulk.id)

    async def _retry(self, caller: Principal, bulk: BulkDecision, request_id: str) -> str | None:
        """Return what became of one request; None where that is not known, so it is tried again."""
        try:
            stored = await self.reading.get_decidable(caller, request_id)
            error = failure(stored.row.error)
            is_failed = stored.row.status == RequestStatus.FAILED and not stored.row.retrying
            if is_failed and (error is None or error.cause != bulk.cause):
                return "It failed for another reason meanwhile; decide about it individually."
            body = RetryBody(reason=bulk.reason, attempt=attempt_of(stored.actions))
            await self.decisions.decide(
                DecisionCall(
                    caller=caller,
                    request_id=request_id,
                    decision=Decision.RETRY,
                    body=body,
                    idempotency_key=f"bulk-{bulk.id}",
                )
            )
        except PaoError as error:
            if error.code == ErrorCode.SERVICE_UNAVAILABLE:
                return None
            if error.code == ErrorCode.INVALID_STATE_TRANSITION:
                return await self._decision_meanwhile(caller, request_id) or error.message
            return error.message
        return DONE

    async def _decision_meanwhile(self, caller: Principal, request_id: str) -> str:
        """Return who decided first, and what; empty where there is no other decision."""
        document = await self.reading.document(caller, request_id)
        accepted = [one for one in document.decisions if one.accepted and one.decision in _DID]
        if not accepted:
            return ""
        return f"Nothing was decided: {accepted[-1].by} {_DID[accepted[-1].decision]} meanwhile."


def _bulk(row: WebBulkDecision) -> BulkDecision:
    return BulkDecision(
        id=str(row.id),
        cause=row.cause,
        reason=row.reason,
        requests=tuple(str(one) for one in row.requests if isinstance(one, UUID)),
        results=dict(row.results),
    )
