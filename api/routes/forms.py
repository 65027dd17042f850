"""HTTP for filling in a form: what it shows and computes, and what its fields offer."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.bodies import JsonRoute
from api.catalog import examples, schemas
from api.requests.prepared import requester_of
from api.responses import documented
from api.routes.catalog import ItemId
from api.services import Caller, Services, ServicesDep
from catalog.model import CatalogDocument
from catalog.secrets import mask_passwords
from pao.core.errors import ErrorCode, PaoError

router = APIRouter(prefix="/catalog", tags=["catalog"], route_class=JsonRoute)

FieldWay = Annotated[
    str, Path(max_length=400, description="Id of the field; of one in a list rules.cluster")
]


@router.post(
    "/items/{item_id}/options/{field}",
    summary="List what a field offers",
    responses=documented({200: examples.OPTIONS}, 400, 401, 403, 404, 413, 422, 429, 503),
)
async def list_field_options(
    services: ServicesDep,
    caller: Caller,
    item_id: ItemId,
    field: FieldWay,
    body: schemas.OptionsQuery,
) -> schemas.FieldOptions:
    """Return the options of a field whose choices come from elsewhere.

    They depend on the fields that the form names under `dependsOn`. Without an answer of their
    source, `problem` says why.
    """
    item = await _requestable_item(services, caller, item_id)
    outer, _, inner = field.partition(".")
    values = {**body.fields, outer: [body.row or {}]} if inner else body.fields
    found = await services.options.field_options(item, field, values, requester_of(caller))
    wanted = body.search.casefold()
    matching = [
        one
        for one in found.choices
        if wanted in one.label.casefold() or wanted in str(one.value).casefold()
    ]
    return schemas.FieldOptions(
        options=[schemas.FormChoice(**one.model_dump()) for one in matching[: body.limit]],
        total=len(matching),
        problem=found.problem,
        free_text=found.lenient and found.problem is not None,
    )


@router.post(
    "/items/{item_id}/form",
    summary="Evaluate a form",
    responses=documented({200: examples.FORM_STATE}, 400, 401, 403, 404, 413, 422, 429, 503),
)
async def evaluate_form(
    services: ServicesDep, caller: Caller, item_id: ItemId, body: schemas.FormFields
) -> schemas.FormState:
    """Return what the form shows, requires and computes with these values, and what is wrong.

    Nothing is stored, and nothing outside of PAO is asked: whether a value is offered is checked at
    submission.
    """
    item = await _requestable_item(services, caller, item_id)
    context = services.options.context_for(item, requester_of(caller))
    today = datetime.now(UTC).date()
    result = await asyncio.to_thread(item.form.validate, body.fields, today, context)
    return schemas.FormState(
        valid=result.valid,
        visible=list(result.visible),
        required=list(result.required),
        values=mask_passwords(result.values, item.passwords),
        computed=list(result.computed),
        errors=[schemas.FieldProblem(**asdict(one)) for one in result.errors],
        warnings=[schemas.FieldProblem(**asdict(one)) for one in result.warnings],
    )


async def _requestable_item(services: Services, caller: Caller, item_id: str) -> CatalogDocument:
    """Return an item that the caller may request; raises ``FORBIDDEN`` for another."""
    item = (await services.catalog.served_item(item_id)).loaded.item
    if not services.access.may_request(caller, item):
        raise PaoError(
            ErrorCode.FORBIDDEN, f"{item.name} may not be requested by your teams; ask its owner."
        )
    return item
