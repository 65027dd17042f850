"""Registers a state for one request before anything touches it."""

from collections.abc import Mapping
from typing import Any

from activities.action_errors import ActionError, ActionFailedError
from activities.base import ActionContext
from activities.terraform.execution_spec import ExecutionSpec
from activities.terraform.state_key import state_key
from activities.terraform.state_location import PLACE_KEYS, WITHOUT_WORKSPACES, location_settings
from db.models import TerraformState
from db.repositories.terraform_states import NewTerraformState
from pao.core.failure_classes import BAD_CALL

_SAME_FOR_ALL = ("environment.", "metadata.", "secrets.")
"""What templates read that is the same for every request of an item."""


class Registration:
    """The registration of the state that one execution works on."""

    def __init__(self, spec: ExecutionSpec, context: ActionContext) -> None:
        self._spec = spec
        self._context = context
        self._row: TerraformState | None = None

    async def register(self, kind: str, config: Mapping[str, Any]) -> None:
        """Register the state for this request; raises ActionFailedError if another has it."""
        self._require_literal_if_shared()
        new = self._new_state(kind, config)
        self._row = await self._context.states.register(new)
        self._refuse_foreign(self._row, new)

    async def check(self, kind: str, config: Mapping[str, Any]) -> None:
        """Raise ActionFailedError if another request has the state; registers nothing."""
        new = self._new_state(kind, config)
        self._refuse_foreign(await self._context.states.holder(new.key), new)

    async def note(self, count: int | None) -> None:
        """Store how many resources the state has; None before that changes."""
        if self._row is not None and self._row.id is not None:
            await self._context.states.set_resources(self._row.id, count)

    async def note_after(self, count: int) -> None:
        """Store it after the work; a failure is only logged."""
        try:
            await self.note(count)
        except ActionError:
            await self._context.log.warning("How many resources the state has could not be noted")

    def _new_state(self, kind: str, config: Mapping[str, Any]) -> NewTerraformState:
        spec, request = self._spec, self._context.request
        settings = location_settings(config)
        shown = ", ".join(f"{name} {value}" for name, value in settings.items())
        workspace = "" if kind in WITHOUT_WORKSPACES else f"workspace {spec.workspace} of "
        return NewTerraformState(
            key=state_key(kind, config, spec.workspace),
            place=self._context.secrets.hide(
                f"{workspace}the backend {kind} ({shown})", whole=True
            ),
            shared=spec.shared,
            request_id=request.request_id,
            action_id=self._context.action_id,
            item_id=request.item.id,
            user_id=request.requester.id,
            owner_team=request.item.owner_team,
        )

    def _refuse_foreign(self, held: TerraformState | None, new: NewTerraformState) -> None:
        if held is None or str(held.request_id) == new.request_id or (held.shared and new.shared):
            return
        raise ActionFailedError(
            f"The Terraform state {new.place} is registered for request {held.request_id}, and "
            f"another request cannot work on it; nothing was changed. {self._advice()} When what "
            "that request made is destroyed, the state can be released: pao terraform release "
            f"{held.id}.",
            judged=BAD_CALL,
        )

    def _require_literal_if_shared(self) -> None:
        if self._spec.shared and (made_of := self._varying_parts()):
            raise ActionFailedError(
                f"The item says that requests share this state, but it is made of "
                f"{', '.join(made_of)}; nothing was changed. A shared state is written out.",
                judged=BAD_CALL,
            )

    def _advice(self) -> str:
        if made_of := self._varying_parts():
            return f"It is made of {', '.join(made_of)}: retry with other values."
        return (
            "The item writes it out: where requests are to share it, its author says so by "
            "shared: true, else makes it of {{request.id}}."
        )

    def _varying_parts(self) -> list[str]:
        """Return the parts of the state's location that differ between requests."""
        found = {
            read
            for place, reads in self._context.reads().items()
            if _is_location_key(place)
            for read in reads
            if not read.startswith(_SAME_FOR_ALL)
        }
        return sorted(found)


def _is_location_key(place: str) -> bool:
    top, _, rest = place.partition(".config.")
    return top == "backend" and rest.partition(".")[0] in {*PLACE_KEYS, "endpoints"}
