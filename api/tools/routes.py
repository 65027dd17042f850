"""HTTP for checks that submit and store nothing: of requests, and of documents in the making."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.bodies import JsonRoute
from api.requests.lifecycle import warnings_of
from api.requests.prepared import SubmissionCall
from api.requests.schemas import DryRun, Submission
from api.requests.schemas.dry_run import DRY_RUN
from api.responses import documented
from api.services import Caller, Correlation, ServicesDep
from api.tools import examples
from api.tools.documents import BODY, document_of
from api.tools.schemas import DocumentCheck, FormPreview, TemplateTest, TemplateTestResult
from catalog.validation import ValidationResult
from pao.core.names import masked

router = APIRouter(route_class=JsonRoute)

FileName = Annotated[
    str,
    Query(
        max_length=200,
        description="Path in the catalog, such as network/network-dns-record.yaml; for findings",
    ),
]


@router.post(
    "/validate/request",
    tags=["requests"],
    summary="Check a submission",
    responses=documented({200: DRY_RUN}, 400, 401, 403, 404, 413, 422, 429),
)
async def validate_request(
    request: Request, given: ServicesDep, caller: Caller, correlation: Correlation, body: Submission
) -> DryRun:
    """Check everything that submission checks, and show what would be sent, secrets masked."""
    call = SubmissionCall(
        caller=caller, correlation_id=correlation, raw_body=request.state.raw_body
    )
    prepared = await given.submission.prepare(body, call)
    # In a thread: templates may take a second, and other callers must not wait for them.
    actions = await asyncio.to_thread(given.submission.render, prepared)
    components = await asyncio.to_thread(given.submission.render_components, prepared)
    return DryRun(
        fields=masked(prepared.context.fields),
        components=components or None,
        actions=actions,
        warnings=warnings_of(prepared.context.item.definition),
    )


@router.post(
    "/validate/catalog-item",
    tags=["platform tools"],
    summary="Check a catalog document",
    responses=documented({200: examples.DOCUMENT_CHECK}, 400, 401, 413, 429),
    openapi_extra=BODY,
)
async def validate_catalog_item(
    request: Request, given: ServicesDep, _caller: Caller, *, file: FileName = "body"
) -> DocumentCheck:
    """Return every finding in a document (YAML or JSON) at its line and column, all at once.

    200 also when it has errors: `valid` tells.
    """
    content = document_of(request)
    return await asyncio.to_thread(given.tools.validate, content, file=file)


@router.post(
    "/preview/form",
    tags=["platform tools"],
    summary="Preview the form of a document",
    responses=documented({200: examples.FORM_PREVIEW}, 400, 401, 413, 422, 429),
    openapi_extra=BODY,
)
async def preview_form(
    request: Request, given: ServicesDep, _caller: Caller, *, file: FileName = "body"
) -> FormPreview:
    """Return the form of an unpublished document, as long as the form itself works."""
    content = document_of(request)
    return await asyncio.to_thread(given.tools.preview, content, file=file)


@router.post(
    "/test/variables",
    tags=["platform tools"],
    summary="Fill templates in with sample fields",
    responses=documented({200: examples.TEMPLATE_TEST}, 400, 401, 404, 413, 422, 429),
)
async def render_templates(
    given: ServicesDep, _caller: Caller, body: TemplateTest
) -> TemplateTestResult:
    """Return for every template what it reads, and its result or its error; secrets masked."""
    if body.catalog_item_id is not None:
        loaded = (await given.catalog.entry(body.catalog_item_id)).loaded
        document = ValidationResult(loaded.file_path, (), loaded.definition, loaded.item)
    else:
        document = await asyncio.to_thread(given.tools.read, body.item or "")
    return await asyncio.to_thread(given.tools.test, body, document)
