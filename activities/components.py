"""Components of a bundle, read from Postgres: what starts one, and the status of all."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio import activity

from catalog.bundle import CatalogBundle
from catalog.components import ComponentContext, component_values
from catalog.document_kinds import parse_definition
from catalog.scopes import ScopeContext
from catalog.secrets import open_fields, seal_fields
from db.models import Request
from db.repositories.requests import RequestsRepository
from db.request_columns import context_of
from db.row_conversion import report_of, workflow_input
from db.session import Database
from pao.core import names
from pao.core.components import ComponentQuery, ComponentReport, ComponentStart
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.requests import RequestInput, Resumption
from pao.runtime.crypto import SecretBox, SecretUnreadableError

BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class ComponentReader:
    """Reads components; read-only, so it may be asked any number of times."""

    database: Database
    box: SecretBox
    scope_context: ScopeContext

    @activity.defn(name=names.COMPONENT_ACTIVITY)
    async def prepare(self, query: ComponentQuery) -> ComponentStart:
        """Return the input of a component's workflow, or the status of one that was started before.

        Values that depend on other components are rendered now; where they do not fit, the
        component waits in ``failed`` for a person to correct them.
        """
        async with self.database.reading() as session:
            requests = RequestsRepository(session)
            row = await requests.get(query.request_id)
            bundle = await requests.get(query.bundle_id)
            if row is None or bundle is None:
                raise PaoError(ErrorCode.REQUEST_NOT_FOUND, "a bundle without its component")
            if row.run_id is not None:
                actions = await requests.get_actions(query.request_id)
                return ComponentStart(report=report_of(row, actions))
        # In a thread: a document's templates may take a while.
        filled = await asyncio.to_thread(self._render_input, row, bundle, query)
        return ComponentStart(given=_with_resumption(filled, query.held) if query.held else filled)

    @activity.defn(name=names.COMPONENTS_ACTIVITY)
    async def read(self, query: ComponentQuery) -> list[ComponentReport]:
        """Return the status of every started component, or of the named one."""
        async with self.database.reading() as session:
            requests = RequestsRepository(session)
            rows = await requests.get_components(query.bundle_id)
            asked = [row for row in rows if query.component in ("", row.component_id)]
            begun = [row for row in asked if row.run_id is not None]
            return [report_of(row, await requests.get_actions(str(row.id))) for row in begun]

    def _render_input(self, row: Request, bundle: Request, query: ComponentQuery) -> RequestInput:
        given = workflow_input(row)
        document = parse_definition(bundle.item_definition)
        if not isinstance(document, CatalogBundle):
            return given
        component = next(one for one in document.components if one.id == query.component)
        if not _had_waiting_values(bundle, query.component):
            return given
        try:
            context = context_of(bundle)
            giving = ComponentContext(
                context=context,
                scope_context=self.scope_context,
                secrets=open_fields(self.box, context),
                components=query.components,
            )
        except SecretUnreadableError as error:
            return _with_resumption(given, str(error))
        item = parse_definition(row.item_definition)
        found = component_values(document, component, item, giving, datetime.now(UTC).date())
        passwords = item.form.passwords
        fields = seal_fields(self.box, query.request_id, found.values, passwords)
        given.context = replace(given.context, fields=fields)
        if not found.problems:
            return given
        problems = "; ".join(f"{one.field}: {one.message}" for one in found.problems)
        return _with_resumption(
            given, f"What the bundle gives this component does not fit: {problems}"
        )


def _had_waiting_values(bundle: Request, component: str) -> bool:
    """Return whether the component had values at submission that depended on others."""
    configs = [action.get("config", {}) for action in bundle.plan]
    return any(one.get("waiting") for one in configs if one.get("component") == component)


def _with_resumption(request_input: RequestInput, reason: str) -> RequestInput:
    resumption = Resumption(reason=reason, actor=BUNDLE, unchecked=True, fresh=True)
    return replace(request_input, resumption=resumption)
