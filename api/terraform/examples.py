"""Examples of answers about Terraform states, for the OpenAPI document."""

from api.terraform.schemas import Release, TerraformState, TerraformStates

_TIME = "2026-03-05T14:07:09.123Z"

HELD = TerraformState(
    id=17,
    place="the backend http (address https://states.example.com/orders)",
    shared=False,
    request_id="7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11",
    action_id="terraform-1",
    item_id="network-subnet-plan",
    resources=0,
    registered_at=_TIME,
    released=None,
)
STATES = TerraformStates(data=[HELD])
RELEASED = TerraformState(
    **dict(HELD) | {"released": Release(by="dana", at=_TIME, note="destroyed by hand")}
)
