"""HTTP for registered Terraform states. Decides nothing."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.bodies import JsonRoute
from api.responses import documented
from api.routes.parameters import RequestId
from api.services import Caller, ServicesDep
from api.terraform import examples
from api.terraform.schemas import ReleaseBody, TerraformState, TerraformStates

router = APIRouter(tags=["requests"], route_class=JsonRoute)

StateId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the registration")]


@router.get(
    "/requests/{request_id}/terraform-states",
    summary="List the Terraform states of a request",
    responses=documented({200: examples.STATES}, 400, 401, 403, 404, 422, 429, 503),
)
async def list_terraform_states(
    services: ServicesDep, caller: Caller, request_id: RequestId
) -> TerraformStates:
    """List the states that are registered for the request, released ones included."""
    return await services.terraform_states.of_request(caller, request_id)


@router.post(
    "/terraform-states/{state_id}/release",
    summary="Release a Terraform state",
    responses=documented({200: examples.RELEASED}, 400, 401, 404, 409, 413, 422, 429, 503),
)
async def release_terraform_state(
    services: ServicesDep, caller: Caller, state_id: StateId, body: ReleaseBody
) -> TerraformState:
    """Free the state of a request that has ended for others. A repeat changes nothing."""
    return await services.terraform_states.release(
        caller, state_id, note=body.note, destroyed=body.destroyed
    )
