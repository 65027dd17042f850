"""What templates of a form know besides its fields: who fills it in, when, and the installation."""

from datetime import UTC, datetime

from catalog.forms import FormContext
from catalog.model import CatalogDocument
from catalog.scopes import ScopeContext, system_scope
from pao.core.payloads.context import Requester
from pao.core.timestamps import timestamp


def form_context(
    item: CatalogDocument, requester: Requester, at: datetime, scope_context: ScopeContext
) -> FormContext:
    """Return what the form of an item may read; ``at`` is when it is, or was, submitted."""
    user = {"id": requester.id, "email": requester.email, "teams": list(requester.teams)}
    moment = at.astimezone(UTC)
    return FormContext(
        scopes={
            "metadata": item.metadata.model_dump(mode="json", by_alias=True, exclude_unset=True),
            "request": {"user": user, "timestamp": timestamp(moment)},
            "system": system_scope(scope_context, moment),
            "environment": dict(scope_context.variables),
        }
    )
