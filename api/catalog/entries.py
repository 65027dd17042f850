"""Rows of the catalog as one caller sees them. Pure."""

from datetime import UTC, datetime

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.catalog.index import Index, Row
from api.catalog.schemas import CatalogEntry


def entry_of(index: Index, access: AccessPolicy, caller: Principal, row: Row) -> CatalogEntry:
    """Return an item as lists show it, and whether the caller may request it."""
    return CatalogEntry.model_validate(
        {
            "id": row.id,
            "kind": row.kind,
            "name": row.name,
            "description": row.description,
            "version": row.version,
            "category": row.category,
            "owner": row.owner,
            "tags": list(row.tags),
            "requestable": is_requestable(index, access, caller, row),
            "deprecated": row.deprecated,
            "stale": row.stale,
        }
    )


def is_requestable(index: Index, access: AccessPolicy, caller: Principal, row: Row) -> bool:
    """Return whether the caller may request it, and every component of a bundle."""
    if row.withdrawn_from and row.withdrawn_from <= datetime.now(UTC).date().isoformat():
        return False
    components = [index.rows.get(one) for one in row.components]
    return all(one and access.may_request(caller, one) for one in (row, *components))
