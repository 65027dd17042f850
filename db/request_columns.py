"""Columns of a request's context: most are named like its fields.

Differing names are listed here; everything else follows from the dataclasses.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from db.models import Request
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.core.timestamps import timestamp

CONTEXT = {"request_id": "id", "submitted_at": "created_at"}
ITEM = {
    "id": "catalog_item_id",
    "version": "catalog_item_version",
    "name": "catalog_item_name",
    "git_sha": "item_sha",
    "definition": "item_definition",
}
REQUESTER = {"id": "user_id", "email": "user_email", "teams": "user_teams"}
NOT_STORED = frozenset({"item", "requester", "components"})
"""Fields of a context with their own columns (above), or derived from the components' rows."""


def _names(kind: type[Any]) -> list[str]:
    return [one.name for one in fields(kind) if one.name not in NOT_STORED]


STORED = (
    *(CONTEXT.get(name, name) for name in _names(RequestContext)),
    *(ITEM.get(name, name) for name in _names(ItemSnapshot)),
    *(REQUESTER.get(name, name) for name in _names(Requester)),
)
"""The columns in which a context is stored."""


def columns_of(context: RequestContext) -> dict[str, Any]:
    """Return a context by the columns in which it is stored."""
    return {
        **_column_values(context, CONTEXT),
        **_column_values(context.item, ITEM),
        **_column_values(context.requester, REQUESTER),
    }


def context_of(row: Request) -> RequestContext:
    """Return the context of a stored request; passwords in it are sealed."""
    return RequestContext(
        item=ItemSnapshot(**_field_values(ItemSnapshot, row, ITEM)),
        requester=Requester(**_field_values(Requester, row, REQUESTER)),
        **_field_values(RequestContext, row, CONTEXT),
    )


def _column_values(value: Any, renamed: Mapping[str, str]) -> dict[str, Any]:
    return {renamed.get(name, name): getattr(value, name) for name in _names(type(value))}


def _field_values(kind: type[Any], row: Request, renamed: Mapping[str, str]) -> dict[str, Any]:
    return {name: _json_value(getattr(row, renamed.get(name, name))) for name in _names(kind)}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    return str(value) if isinstance(value, UUID) else value
