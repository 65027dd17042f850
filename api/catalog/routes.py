"""HTTP for the catalog: browse, read one, its form, reload."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from api import examples
from api.catalog.service import Entry, summary
from api.responses import documented
from api.services import Caller, Correlation, Given, Services
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads import timestamp

router = APIRouter(prefix="/catalog", tags=["catalog"])

ItemId = Annotated[str, Path(max_length=200, description="Id of the catalog item")]
Text = Annotated[str | None, Query(max_length=200)]


@router.get(
    "",
    summary="Browse the catalog",
    responses=documented({200: examples.CATALOG}, 400, 401, 429, 503),
)
async def browse(
    given: Given,
    caller: Caller,
    category: Text = None,
    owner: Text = None,
    tag: Text = None,
    q: Text = None,
    kind: Text = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> dict[str, Any]:
    """List items by id, with counts per category; `requestable`: the caller may ask for it."""
    filters = {"category": category, "owner": owner, "tag": tag, "q": q, "kind": kind}
    found = [entry for entry in given.catalog.entries() if _fits(entry, filters)]
    scope = f"catalog:{sorted((key, value or '') for key, value in filters.items())}"
    after = str(given.cursors.read(scope, cursor)[0]) if cursor else ""
    rest = [entry for entry in found if entry.loaded.item.id > after]
    shown = rest[:limit]
    more = len(rest) > limit
    last = shown[-1].loaded.item.id if more else None
    return {
        "data": [_summary(given, caller, entry) for entry in shown],
        "facets": {"category": dict(Counter(entry.loaded.item.category for entry in found))},
        "pagination": {
            "hasMore": more,
            "nextCursor": given.cursors.write(scope, [last]) if last else None,
            "totalCount": len(found),
        },
    }


@router.get(
    "/validation-errors",
    summary="List refused files",
    responses=documented({200: examples.FINDINGS}, 401, 429, 503),
)
async def validation_errors(given: Given, _caller: Caller) -> dict[str, Any]:
    """List what is wrong with the files that were refused at the last load."""
    return {"data": [asdict(finding) for finding in given.catalog.state.refused]}


@router.post(
    "/refresh",
    summary="Reload the catalog",
    responses=documented({200: examples.REFRESH}, 401, 403, 429, 502, 503),
)
async def refresh(given: Given, caller: Caller, correlation: Correlation) -> dict[str, Any]:
    """Load the catalog again; answers what was added, changed, removed and refused."""
    if not given.access.may_refresh(caller, given.catalog.owners()):
        raise PaoError(
            ErrorCode.FORBIDDEN,
            "Only teams that own something in the catalog, and admins, may reload it.",
        )
    return asdict(await given.catalog.refresh_for(caller.id, correlation))


@router.get(
    "/items/{item_id}",
    summary="Get a catalog item",
    responses=documented({200: examples.CATALOG_ITEM_WHOLE}, 400, 401, 404, 429, 503),
)
async def get_item(given: Given, caller: Caller, item_id: ItemId) -> dict[str, Any]:
    """Give the definition, its version, where it comes from, its owner, any deprecation notice."""
    entry = given.catalog.entry(item_id)
    item = entry.loaded.item
    loaded_at = given.catalog.state.loaded_at
    return _summary(given, caller, entry) | {
        "gitSha": entry.loaded.sha,
        "filePath": entry.loaded.file_path,
        "loadedAt": timestamp(loaded_at) if loaded_at else None,
        "deprecation": item.deprecation.model_dump(by_alias=True, mode="json"),
        "definition": entry.loaded.definition,
    }


@router.get(
    "/items/{item_id}/schema",
    summary="Get a catalog item's form",
    responses=documented({200: examples.FORM}, 400, 401, 404, 429, 503),
)
async def get_schema(given: Given, _caller: Caller, item_id: ItemId) -> dict[str, Any]:
    """Give the form as it is drawn, and the equivalent JSON Schema (draft 2020-12)."""
    item = given.catalog.entry(item_id).loaded.item
    return {
        "id": item.id,
        "version": item.version,
        "form": item.form.ui_schema(),
        "jsonSchema": item.form.json_schema(),
    }


def _summary(given: Services, caller: Caller, entry: Entry) -> dict[str, Any]:
    return summary(entry, requestable=given.access.may_request(caller, entry.loaded.item))


def _fits(entry: Entry, filters: dict[str, str | None]) -> bool:
    item = entry.loaded.item
    wanted = {name: value for name, value in filters.items() if value}
    exact = {"category": item.category, "owner": item.owner_team, "kind": item.kind}
    if any(wanted.get(name, value) != value for name, value in exact.items()):
        return False
    if "tag" in wanted and wanted["tag"] not in item.tags:
        return False
    text = " ".join((item.id, item.name, item.description, *item.tags)).casefold()
    return all(word in text for word in wanted.get("q", "").casefold().split())
