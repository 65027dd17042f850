"""What a caller means by a reference to a request: an id or its beginning, or a ticket key."""

from dataclasses import dataclass

from api.access import AccessPolicy
from api.auth.principal import Principal
from db.repositories.request_references import (
    LEAST_NAMED,
    NamedRequest,
    ReferencesRepository,
)
from db.session import Database
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.timestamps import timestamp

MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceService:
    """Reads references on behalf of a caller, for whom invisible requests do not exist."""

    access: AccessPolicy
    database: Database

    async def resolve(self, caller: Principal, reference: str) -> str:
        """Return the id of the one request that the caller may see and that a reference means.

        Raises ``REQUEST_NOT_FOUND`` for none, and ``AMBIGUOUS_REFERENCE`` for several, with their
        ids; requests that the caller may not see make nothing ambiguous.
        """
        found: list[NamedRequest] = []
        if "\x00" not in reference:
            async with self.database.reading() as session:
                found = await ReferencesRepository(session).find(
                    reference, self.access.visibility(caller), limit=MOST_NAMED + 1
                )
        if not found:
            raise PaoError(
                ErrorCode.REQUEST_NOT_FOUND,
                f"There is no request {reference}, or you may not see it. A request is named by "
                f"its id or the first {LEAST_NAMED} or more characters of it, by the key of its "
                "ticket, or by its correlation id.",
            )
        if len(found) > 1:
            raise _ambiguous(reference, found)
        return found[0].id


def _ambiguous(reference: str, found: list[NamedRequest]) -> PaoError:
    shown = found[:MOST_NAMED]
    many = f"more than {MOST_NAMED}" if len(found) > MOST_NAMED else str(len(found))
    return PaoError(
        ErrorCode.AMBIGUOUS_REFERENCE,
        f"{reference} means {many} requests; give the id of one: "
        f"{', '.join(one.id for one in shown)}.",
        details=tuple(
            Detail(
                field="requestId",
                constraint="ambiguous",
                message=f"{one.title} ({one.catalog_item_id}), {one.status.replace('_', ' ')}, "
                f"submitted {timestamp(one.created_at)}",
                received=reference,
                expected=one.id,
            )
            for one in shown
        ),
    )
