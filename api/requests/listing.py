"""Pages of the list of requests, as a caller may see them. Changes nothing."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.pagination import Cursors, pagination
from api.requests import presentation as presenting
from api.requests import schemas
from db.repositories.action_summaries import ActionSummariesRepository
from db.repositories.request_filters import RequestFilters
from db.repositories.request_pages import PageKey, RequestPagesRepository
from db.session import Database

MOST_COUNTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingService:
    """Lists requests on behalf of a caller."""

    access: AccessPolicy
    cursors: Cursors
    database: Database

    async def page(
        self,
        caller: Principal,
        filters: RequestFilters,
        *,
        cursor: str | None,
        limit: int,
        counted: bool = False,
    ) -> schemas.RequestPage:
        """Return a page of what the caller may see, with the cursor of the next one.

        With ``counted`` it says how many the filters leave; counting stops at ``MOST_COUNTED``.
        """
        scope = f"requests:{json.dumps(asdict(filters), default=str, sort_keys=True)}"
        visibility = self.access.visibility(caller)
        if not filters.as_admin:
            visibility = replace(visibility, admin=False)
        async with self.database.reading() as session:
            pages = RequestPagesRepository(session)
            page = await pages.list_page(
                filters, visibility, after=self._after(scope, cursor), limit=limit
            )
            steps = await ActionSummariesRepository(session).of([row.id for row in page.rows])
            count = None
            if counted:
                count = await pages.count(filters, visibility, most=MOST_COUNTED)
        next_key = page.next_key
        keys = [next_key.at.isoformat(), next_key.id] if next_key else None
        return schemas.RequestPage(
            data=[presenting.request_summary(row, steps[row.id]) for row in page.rows],
            pagination=pagination(self.cursors.write(scope, keys) if keys else None),
            count=count,
        )

    def _after(self, scope: str, cursor: str | None) -> PageKey | None:
        if cursor is None:
            return None
        moment, key = self.cursors.read(scope, cursor)
        return PageKey(datetime.fromisoformat(moment), key)
