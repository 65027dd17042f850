"""Preparing a submission of an item or a bundle. Nothing is stored here."""

import asyncio
from collections.abc import Mapping

from api.catalog.options import OptionsService
from api.catalog.service import CatalogService, ServedItem
from api.requests import schemas
from api.requests.bundles import prepare_bundle, refused_values, render_components, served_items
from api.requests.item_preparation import ItemPreparer
from api.requests.prepared import PreparedSubmission, SubmissionCall, requester_of
from api.requests.schemas import Submission
from catalog.bundle import CatalogBundle
from catalog.secrets import fill_passwords


class Preparer:
    """Checks submissions and plans them; templates run in a thread, off the event loop."""

    def __init__(
        self, items: ItemPreparer, catalog: CatalogService, options: OptionsService
    ) -> None:
        self._items = items
        self._catalog = catalog
        self._options = options

    async def prepare(self, body: Submission, call: SubmissionCall) -> PreparedSubmission:
        """Check everything that a submission is checked for, and plan it."""
        served_item = await self._catalog.served_item(body.catalog_item_id)
        item = served_item.loaded.item
        # Checked first: a caller who may not request the item must not cause calls to others.
        self._items.authorize(served_item, call.caller)
        context = await self._options.with_answers(item, body.fields, requester_of(call.caller))
        if not isinstance(item, CatalogBundle):
            return await asyncio.to_thread(self._items.prepare, served_item, body, call, context)
        items = await served_items(item, self._catalog)
        prepared = await asyncio.to_thread(
            prepare_bundle, self._items, served_item, items, body=body, call=call, context=context
        )
        await self._require_offered(item, items, prepared)
        return prepared

    async def _require_offered(
        self, bundle: CatalogBundle, items: Mapping[str, ServedItem], prepared: PreparedSubmission
    ) -> None:
        """Refuse values of components that are not offered; those that wait are not there yet."""
        prepared_by_id = {one.id: one.prepared for one in prepared.components if not one.waiting}
        for component in bundle.ordered_components:
            if component.id not in prepared_by_id:
                continue
            whole, item = prepared_by_id[component.id], items[component.catalog_item].loaded.item
            values = fill_passwords(whole.context.fields, whole.secrets, item.passwords)
            problems = await self._options.require(item, values, whole.context.requester)
            if problems:
                raise refused_values(bundle, component, problems)

    def render(self, prepared: PreparedSubmission) -> list[schemas.RenderedAction]:
        """Render every action as it would be sent, secrets masked.

        An action that needs outputs of an earlier one is shown with its templates.
        """
        return self._items.render(prepared)

    def render_components(self, prepared: PreparedSubmission) -> list[schemas.RenderedComponent]:
        """Render the components of a bundle in the same way; none for an item."""
        return render_components(self._items, prepared)
