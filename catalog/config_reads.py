"""What the templates of a planned action's configuration read, place by place."""

from collections.abc import Iterable

from catalog.document_kinds import parse_definition
from catalog.loading import walk_texts
from catalog.scopes import ScopeContext, names_for
from catalog.templating import check
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction


def config_reads(
    action: PlannedAction,
    context: RequestContext,
    scope_context: ScopeContext,
    outputs: Iterable[str],
) -> dict[str, list[str]]:
    """Return what each template reads (``fields.name``) by its dotted place (``backend.type``)."""
    names = names_for(parse_definition(context.item.definition), scope_context, tuple(outputs))
    found: dict[str, list[str]] = {}
    for path, text in walk_texts(action.config):
        if reads := sorted({_field_name(use) for use in check(text, names)}):
            found[".".join(map(str, path))] = reads
    return found


def _field_name(use: tuple[str, ...]) -> str:
    """Return the same name for a field however it is read."""
    return ".".join(("fields", *use[2:]) if use[:2] == ("request", "data") else use)
