"""The call that the worker makes for the choices of a field, from the field's options. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from catalog.forms.evaluation_context import FieldQuery
from catalog.forms.expressions import CALL_PARTS
from catalog.forms.options import HttpOptions
from catalog.model import CatalogDocument
from pao.core.definitions import names_only
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.choices import ChoicesQuestion
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.core.payloads.plan import PlannedAction
from pao.core.timestamps import timestamp

SECONDS = 5


def choices_question(
    item: CatalogDocument, question: FieldQuery, requester: Requester | None, at: datetime
) -> ChoicesQuestion:
    """Return what the worker is asked: the same for all who may share the answer.

    It holds only what the call reads: ``requester`` is None where that does not depend on who
    asks, and the time is the beginning of the day.
    """
    options = question.field.options
    if not isinstance(options, HttpOptions):
        raise TypeError("only choices of HTTP interfaces are fetched")
    call = options.model_dump(mode="json", include=CALL_PARTS, exclude_none=True)
    config: dict[str, Any] = {
        "endpoint": {"url": call.pop("url"), "method": "GET"},
        "timeout": SECONDS,
        **{key: part for key, part in call.items() if part},
    }
    day = datetime.combine(at.astimezone(UTC).date(), time(), tzinfo=UTC)
    definition = _definition(item, question)
    given = json.dumps([item.id, config, dict(question.inputs)], sort_keys=True, default=str)
    request_id = str(uuid5(NAMESPACE_OID, given))
    context = RequestContext(
        request_id=request_id,
        correlation_id=request_id,
        submitted_at=timestamp(day),
        item=ItemSnapshot(item.id, item.version, item.name, definition=definition),
        requester=requester or Requester(id=""),
        fields=dict(question.inputs),
    )
    name = f"the choices of {question.field.label} from {options.host}"
    action = PlannedAction(id="choices", index=0, type="rest-api", name=name, config=config)
    return ChoicesQuestion(
        call=ActionInput(context=context, action=action),
        select=options.select,
        value=options.value,
        label=options.label,
    )


def _definition(item: CatalogDocument, question: FieldQuery) -> dict[str, Any]:
    """Return as much of the item's document as templates see; what a row reads is a field there."""
    written = item.model_dump(mode="json", by_alias=True, exclude_unset=True)
    named = names_only(written)
    known = {field.id for field in item.fields}
    rows = [{"id": name, "type": "string"} for name in question.inputs if name not in known]
    groups: list[Mapping[str, Any]] = named["presentation"]["form"]["groups"]
    named["presentation"]["form"]["groups"] = [*groups, {"id": "row", "fields": rows}]
    return named
