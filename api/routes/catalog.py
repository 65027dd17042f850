"""HTTP for the catalog: browse, read one, its form, reload."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from api.catalog import examples, schemas
from api.catalog.entries import entry_of
from api.catalog.index import CatalogQuery, Row
from api.catalog.status import report_of, status_of
from api.responses import documented
from api.services import Caller, Correlation, ServicesDep
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.catalog import SyncRequest
from pao.core.timestamps import timestamp

router = APIRouter(prefix="/catalog", tags=["catalog"])

Force = Annotated[bool, Query(description="Serve the folder even if it is not newer")]
ItemId = Annotated[str, Path(max_length=200, description="Id of the catalog item")]


@router.get(
    "",
    summary="Browse the catalog",
    responses=documented({200: examples.PAGE}, 400, 401, 429, 503),
)
async def list_catalog_items(
    services: ServicesDep,
    caller: Caller,
    *,
    category: Annotated[str | None, Query(max_length=200)] = None,
    owner: Annotated[str | None, Query(max_length=200, description="The owning team")] = None,
    tag: Annotated[str | None, Query(max_length=200)] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Words that must all occur; best match first")
    ] = None,
    kind: Annotated[Literal["CatalogItem", "CatalogBundle"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> schemas.CatalogPage:
    """List items and bundles by id, or best match first, with counts for narrowing the list.

    The counts of a facet apply the other filters. `requestable`: the caller may request it.
    """
    wanted = CatalogQuery(category=category, owner=owner, tag=tag, kind=kind, q=q)
    index = services.catalog.state.index
    found = index.find(wanted)
    scope = f"catalog:{sorted((key, value or '') for key, value in asdict(wanted).items())}"
    rest = _after(found.rows, services.cursors.read(scope, cursor) if cursor else None)
    page = rest[:limit]
    more = len(rest) > limit
    keys = [page[-1][0], page[-1][1].id] if more else None
    return schemas.CatalogPage(
        data=[
            entry_of(services.catalog.state.index, services.access, caller, row) for _, row in page
        ],
        facets=schemas.Facets(**found.facets),
        pagination=schemas.CountedPagination(
            has_more=more,
            next_cursor=services.cursors.write(scope, keys) if keys else None,
            total_count=len(found.rows),
        ),
    )


@router.get(
    "/validation-errors",
    summary="List refused files",
    responses=documented({200: examples.REFUSED}, 401, 429, 503),
)
async def list_refused_files(services: ServicesDep, _caller: Caller) -> schemas.RefusedFiles:
    """List the findings of files that the last sync refused, and those about code owners."""
    state = services.catalog.state
    return schemas.RefusedFiles(
        data=[schemas.Finding.model_validate(one) for one in state.status.refused],
        ownership=[schemas.Finding.model_validate(one) for one in state.status.ownership],
        checked_at=timestamp(state.loaded_at) if state.loaded_at else None,
    )


@router.get(
    "/status",
    summary="Get the status of the catalog",
    responses=documented({200: examples.STATUS}, 401, 429, 503),
)
async def get_catalog_status(services: ServicesDep, _caller: Caller) -> schemas.CatalogStatus:
    """Return the revision in service, how old it is, and what keeps a newer one from service.

    `held` is a revision that would remove most items; `POST /catalog/refresh` confirms it.
    """
    return status_of(services.catalog)


@router.post(
    "/refresh",
    summary="Reload the catalog",
    responses=documented(
        {200: examples.REFRESH, 202: examples.REFRESH_PENDING},
        400,
        401,
        403,
        413,
        422,
        429,
        502,
        503,
    ),
)
async def refresh_catalog(
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    response: Response,
    options: schemas.RefreshOptions | None = None,
    *,
    force: Force = False,
) -> schemas.RefreshReport:
    """Read the source again; return what was added, changed, removed and refused.

    202 when that takes longer than 20 seconds: it continues. `outdated` says why nothing changed
    when the folder of the worker is not newer than the catalog in service; admins can serve it
    anyway with `force=true`. `held` says that the revision would remove most items: `confirm`
    serves it.
    """
    if not services.access.may_refresh(caller, services.catalog.state.index.owners):
        raise PaoError(
            ErrorCode.FORBIDDEN,
            "Only admins and teams that own a catalog item may reload the catalog.",
        )
    confirm = options.confirm if options else None
    if force and not services.access.is_admin(caller):
        raise PaoError(ErrorCode.FORBIDDEN, "Only admins may serve an older folder.")
    sync = SyncRequest(force=force, confirm=confirm)
    report = await services.catalog.refresh_for(caller.id, correlation, sync)
    if report is None:
        response.status_code = 202
    return report_of(report)


@router.get(
    "/items/{item_id}",
    summary="Get a catalog item",
    responses=documented({200: examples.ITEM}, 400, 401, 404, 429, 503),
)
async def get_catalog_item(
    services: ServicesDep, caller: Caller, item_id: ItemId
) -> schemas.CatalogItem:
    """Return the definition, its version and origin, its owner, any deprecation notice."""
    row = services.catalog.row(item_id)
    served_item = await services.catalog.served_item(item_id)
    item = served_item.loaded.item
    loaded_at = services.catalog.state.loaded_at
    return schemas.CatalogItem(
        **dict(entry_of(services.catalog.state.index, services.access, caller, row)),
        git_sha=served_item.loaded.sha,
        file_path=served_item.loaded.file_path,
        loaded_at=timestamp(loaded_at) if loaded_at else None,
        deprecation=schemas.DeprecationNotice(**item.deprecation.model_dump()),
        definition=served_item.loaded.definition,
    )


@router.get(
    "/items/{item_id}/schema",
    summary="Get a catalog item's form",
    responses=documented({200: examples.FORM}, 400, 401, 404, 429, 503),
)
async def get_catalog_item_form(
    services: ServicesDep, _caller: Caller, item_id: ItemId
) -> schemas.CatalogForm:
    """Return the form as it is displayed, and the equivalent JSON Schema (draft 2020-12)."""
    return await services.catalog.form(item_id)


def _after(rows: tuple[tuple[int, Row], ...], keys: list[Any] | None) -> list[tuple[int, Row]]:
    """Return the rows after the last one of the page before, which may be gone by now."""
    if keys is None:
        return list(rows)
    last = (-keys[0], keys[1])
    return [entry for entry in rows if (-entry[0], entry[1].id) > last]
