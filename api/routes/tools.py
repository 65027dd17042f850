"""HTTP for checks that store nothing: of requests, and of unpublished documents."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.bodies import JsonRoute
from api.requests.prepared import SubmissionCall
from api.requests.schemas import DryRun, Submission
from api.requests.schemas.dry_run import DRY_RUN
from api.responses import documented
from api.services import Caller, Correlation, ServicesDep
from api.tools import examples
from api.tools.documents import BODY, document_of
from api.tools.schemas import DocumentCheck, FormPreview, TemplateTest, TemplateTestResult
from catalog.validation import ValidationResult

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
    request: Request,
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    body: Submission,
) -> DryRun:
    """Run every check of a submission and show what would be sent, with secrets masked."""
    call = SubmissionCall(
        caller=caller, correlation_id=correlation, raw_body=request.state.raw_body
    )
    return await services.submission.dry_run(body, call)


@router.post(
    "/validate/catalog-item",
    tags=["platform tools"],
    summary="Check a catalog document",
    responses=documented({200: examples.DOCUMENT_CHECK}, 400, 401, 413, 429),
    openapi_extra=BODY,
)
async def validate_catalog_item(
    request: Request, services: ServicesDep, _caller: Caller, *, file: FileName = "body"
) -> DocumentCheck:
    """Return all findings in a document (YAML or JSON) with line and column.

    200 even when it has errors; see `valid`.
    """
    content = document_of(request)
    return await asyncio.to_thread(services.tools.validate, content, file=file)


@router.post(
    "/preview/form",
    tags=["platform tools"],
    summary="Preview the form of a document",
    responses=documented({200: examples.FORM_PREVIEW}, 400, 401, 413, 422, 429),
    openapi_extra=BODY,
)
async def preview_form(
    request: Request, services: ServicesDep, _caller: Caller, *, file: FileName = "body"
) -> FormPreview:
    """Return the form of an unpublished document, provided the form itself is valid."""
    content = document_of(request)
    return await asyncio.to_thread(services.tools.preview, content, file=file)


@router.post(
    "/test/variables",
    tags=["platform tools"],
    summary="Render templates with sample fields",
    responses=documented({200: examples.TEMPLATE_TEST}, 400, 401, 404, 413, 422, 429),
)
async def render_templates(
    services: ServicesDep, _caller: Caller, body: TemplateTest
) -> TemplateTestResult:
    """Return each template's references, and its result or error; secrets are masked."""
    if body.catalog_item_id is not None:
        loaded = (await services.catalog.served_item(body.catalog_item_id)).loaded
        document = ValidationResult(loaded.file_path, (), loaded.definition, loaded.item)
    else:
        document = await asyncio.to_thread(services.tools.read, body.item or "")
    return await asyncio.to_thread(services.tools.test, body, document)
