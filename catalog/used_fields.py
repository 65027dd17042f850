"""Which fields the actions of a request have used: what a correction can no longer change. Pure."""

from collections.abc import Iterable, Sequence

from catalog.document_kinds import parse_definition
from catalog.planning import condition_reads
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction

EVERYTHING = "fields.*"


def used_by(
    context: RequestContext, over: Sequence[PlannedAction], changed: Iterable[str]
) -> dict[str, list[str]]:
    """Return for each changed field the finished actions that have read it.

    Of an action without ``reads`` only the condition counts; templates that cannot be read count
    as reading everything.
    """
    item = parse_definition(context.item.definition)
    keys = tuple(action.key for action in over)
    reads = {action.id: _reads(action, condition_reads(item, action, keys)) for action in over}
    found = {
        name: [key for key, read in reads.items() if {f"fields.{name}", EVERYTHING} & read]
        for name in changed
    }
    return {name: actions for name, actions in found.items() if actions}


def _reads(action: PlannedAction, condition: list[str] | None) -> set[str]:
    if action.reads is None or condition is None:
        return {EVERYTHING}
    return {*action.reads, *condition}
