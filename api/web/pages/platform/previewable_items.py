"""Items in service that may be previewed: those of the reader's teams, of admins all."""

from collections.abc import Mapping
from typing import Any

from api.auth.principal import Principal
from api.services import Services
from catalog.testing.cases import dump

_FIRST = ("schemaVersion", "kind", "metadata", "id", "name", "type", "presentation", "fulfillment")


def previewable_items(services: Services, caller: Principal) -> list[tuple[str, str]]:
    """Return the ids and names of the items whose documents the reader may see, by name."""
    is_admin = services.access.is_admin(caller)
    rows = services.catalog.state.index.rows.values()
    found = [(one.id, one.name) for one in rows if is_admin or one.owner in caller.teams]
    return sorted(found, key=lambda one: one[1].casefold())


def as_text(definition: Mapping[str, Any]) -> str:
    """Return a document in service as YAML; its keys have lost the order of their author."""
    return dump(_in_order(definition))


def _in_order(value: Any) -> Any:
    if isinstance(value, Mapping):
        keys = [key for key in _FIRST if key in value]
        keys += [key for key in value if key not in _FIRST]
        return {key: _in_order(value[key]) for key in keys}
    return [_in_order(one) for one in value] if isinstance(value, list) else value
