"""Preparing a submission of an item or a bundle. Nothing is stored here."""

import asyncio

from api.catalog.service import CatalogService
from api.requests import schemas
from api.requests.bundles import entries_of, prepare_bundle, rendered
from api.requests.item_preparation import ItemPreparer
from api.requests.prepared import Prepared, SubmissionCall
from api.requests.schemas import Submission
from catalog.bundle import CatalogBundle


class Preparer:
    """Checks submissions and plans them; templates run in a thread, so nobody waits for them."""

    def __init__(self, items: ItemPreparer, catalog: CatalogService) -> None:
        self._items = items
        self._catalog = catalog

    async def prepare(self, body: Submission, call: SubmissionCall) -> Prepared:
        """Check everything that a submission is checked for, and plan it."""
        entry = await self._catalog.entry(body.catalog_item_id)
        if isinstance(entry.loaded.item, CatalogBundle):
            parts = await entries_of(entry.loaded.item, self._catalog)
            return await asyncio.to_thread(
                prepare_bundle, self._items, entry, parts, body=body, call=call
            )
        return await asyncio.to_thread(self._items.prepare, entry, body, call)

    def render(self, prepared: Prepared) -> list[schemas.RenderedAction]:
        """Render every action as it would be sent, secrets masked.

        An action that needs outputs of an earlier one is shown with its templates.
        """
        return self._items.render(prepared)

    def render_components(self, prepared: Prepared) -> list[schemas.RenderedComponent]:
        """Render the components of a bundle in the same way; none for an item."""
        return rendered(self._items, prepared)
