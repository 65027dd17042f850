"""The resources in a state, and how to clean them up when a request is aborted."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from activities.terraform.cleanup import StateLocation
from activities.terraform.sensitive_values import resources_in
from pao.core.payloads.failures import PartialResource


@dataclass(frozen=True, slots=True, kw_only=True)
class StateResource:
    """One managed resource: its address in the module, its type, its id in the target."""

    address: str
    type: str
    id: str | None

    def left_behind(self, where: StateLocation) -> PartialResource:
        """Return it as something that a failed action left behind."""
        known = f" (id {self.id})" if self.id else ""
        return PartialResource(
            type=self.type,
            id=self.address,
            cleanup=f"Destroy {self.address}{known} with terraform destroy in {where}. "
            f"Commands: {where.destroy(self.address)}",
        )


def resources_of(values: dict[str, Any]) -> list[StateResource]:
    """Return the managed resources of a state, without data sources."""
    return [
        StateResource(
            address=str(resource.get("address")),
            type=str(resource.get("type")),
            id=_id(resource),
        )
        for resource in resources_in(values)
        if resource.get("mode") == "managed"
    ]


def resources_in_file(state: dict[str, Any]) -> list[StateResource]:
    """Return the managed resources in a state file."""
    return [
        StateResource(
            address=_address(resource, instance),
            type=str(resource.get("type")),
            id=_id({"values": instance.get("attributes")}),
        )
        for resource in state.get("resources") or ()
        if resource.get("mode") == "managed"
        for instance in resource.get("instances") or ()
    ]


def filter_touched(
    present: Iterable[StateResource], touched: set[str], *, own: bool
) -> list[StateResource]:
    """Return the resources of this run; in its own workspace, all of them."""
    return [resource for resource in present if own or resource.address in touched]


def possibly_made(made: Mapping[str, str], where: StateLocation) -> list[PartialResource]:
    """Return what Terraform reported to be creating, but is not in the state."""
    return [
        PartialResource(
            type=address.split("[")[0].split(".")[-2] if "." in address else "",
            id=address,
            cleanup=f"{address}{f' (id {id_})' if id_ else ''} may exist although the state does "
            "not have it: look for it in the target, then import it with terraform import, or "
            f"remove it by hand. The state is {where}.",
        )
        for address, id_ in sorted(made.items())
    ]


def _id(resource: dict[str, Any]) -> str | None:
    known = (resource.get("values") or {}).get("id")
    return str(known) if known is not None else None


def _address(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    module = f"{resource['module']}." if resource.get("module") else ""
    key = instance.get("index_key")
    index = "" if key is None else f"[{json.dumps(key)}]"
    return f"{module}{resource.get('type')}.{resource.get('name')}{index}"
