"""`/platform`: what platform teams look at: the catalog's age, its findings, and a preview."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth.principal import Principal
from api.catalog.schemas import Finding
from api.catalog.status import status_of
from api.requests.prepared import requester_of
from api.services import Caller, Correlation, Services, ServicesDep
from api.tools.schemas import TemplateResult, TemplateTest
from api.web.forms import Posted, text_of
from api.web.line_diff import Lines, diff_lines
from api.web.pages.platform.form_preview import PreviewedForm, preview_form
from api.web.pages.platform.previewable_items import as_text, previewable_items
from api.web.pages.request.results import web_address
from api.web.rendering import page
from api.web.words import _, ngettext
from catalog.testing.cases import dump
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.catalog import SyncReport, SyncRequest

_GOOD = 200
# A page of a thousand files is not readable; `pao catalog status` lists them all.
_MOST_NAMED = 50


async def _require_owner(services: ServicesDep, caller: Caller) -> None:
    if not services.access.may_refresh(caller, services.catalog.state.index.owners):
        raise PaoError(
            ErrorCode.FORBIDDEN, _("Only teams that own a catalog item and admins see this page.")
        )


router = APIRouter(prefix="/platform", dependencies=[Depends(_require_owner)])


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file with what was found in it; ``href`` is where its source shows it.

    ``served`` is the version that it had when it was valid, which is in service.
    """

    file: str
    findings: list[Finding]
    href: str | None
    served: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSummary:
    """What a refresh has changed: names by kind, and how many are not among them.

    ``is_pending`` while it is still running.
    """

    is_pending: bool = False
    is_held: bool = False
    changes: Sequence[tuple[str, Sequence[str], int]] = ()
    outdated: str | None = None

    @classmethod
    def of(cls, report: SyncReport | None) -> Self:
        """Return what a page says of a report."""
        if report is None:
            return cls(is_pending=True)
        words = {
            "added": _("Added"),
            "changed": _("Changed"),
            "removed": _("Removed"),
            "refused": _("Refused"),
        }
        changes = []
        for kind, word in words.items():
            if count := report.count(kind):
                names = getattr(report, kind)[:_MOST_NAMED]
                changes.append((word, names, count - len(names)))
        return cls(changes=changes, is_held=report.held is not None, outdated=report.outdated)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPreview:
    """What a document would be once it is published."""

    title: str
    findings: list[Finding]
    excerpts: list[str]
    form: PreviewedForm | None
    is_whole: bool
    calls: list[TemplateResult]
    problems: list[str]
    difference: Lines | None
    published: str | None


@router.get("")
async def platform(request: Request, services: ServicesDep) -> Response:
    """Show how old the catalog is, where it comes from, and what was refused."""
    return _platform_page(request, services)


@router.post("/refresh")
async def refresh(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    posted: Posted,
) -> Response:
    """Read the source now, and show what has changed; `confirm` serves what is held back."""
    confirm = text_of(posted, "confirm") or None
    sync = SyncRequest(confirm=confirm)
    try:
        report = await services.catalog.refresh_for(caller.id, correlation, sync)
    except PaoError as error:
        if error.code is not ErrorCode.EXTERNAL_SERVICE_ERROR:
            raise
        # The page says why, and what is still served.
        return _platform_page(request, services, status=error.status)
    return _platform_page(request, services, read=RefreshSummary.of(report))


@router.get("/preview")
async def empty_preview(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    item: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show where a document is pasted; one in service may be picked to begin with."""
    offered = previewable_items(services, caller)
    published = await _served_definition(services, caller, item) if item in dict(offered) else None
    document = as_text(published) if published else ""
    return _preview_page(request, document=document, preview=None, offered=offered, item=item)


@router.post("/preview")
async def preview(
    request: Request, services: ServicesDep, caller: Caller, posted: Posted
) -> Response:
    """Show what a pasted document would be: findings, form and calls. Nothing is stored or sent."""
    document = text_of(posted, "document")
    shown = await _preview(services, caller, document, posted)
    return _preview_page(request, document=document, preview=shown)


async def _preview(
    services: Services, caller: Principal, document: str, posted: FormData
) -> DocumentPreview:
    tools, content = services.tools, document.encode("utf-8", "replace")
    read = await asyncio.to_thread(tools.read, document)
    file = _file_name(read.definition)
    checked = await asyncio.to_thread(tools.validate, content, file=file)
    form = await preview_form(services, caller, read, posted)
    sample = TemplateTest(item=document, fields=form.values if form else {})
    who = requester_of(caller)
    offered = form.offered if form else None
    test = await asyncio.to_thread(tools.test, sample, read, requester=who, offered=offered)
    published = await _served_definition(
        services, caller, checked.item.id if checked.item else None
    )
    return DocumentPreview(
        title=_sentence(checked.errors, checked.warnings),
        findings=checked.findings,
        excerpts=[_excerpt(document, one) for one in checked.findings],
        form=form,
        is_whole=read.draft is not None,
        calls=[one for one in test.templates if one.error is None or form is not None],
        problems=[one.message for one in test.field_errors],
        difference=await asyncio.to_thread(_difference, published, read.definition)
        if published
        else None,
        published=str(published["metadata"]["version"]) if published else None,
    )


async def _served_definition(
    services: Services, caller: Principal, item_id: str | None
) -> Mapping[str, Any] | None:
    """Return the document in service; None for another team's, whose insides are not shown."""
    if item_id is None:
        return None
    try:
        loaded = (await services.catalog.document(item_id)).loaded
    except PaoError as error:
        if error.code is not ErrorCode.CATALOG_ITEM_NOT_FOUND:
            raise
        return None
    is_owner = loaded.item.owner_team in caller.teams or services.access.is_admin(caller)
    return loaded.definition if is_owner else None


def _file_name(definition: Mapping[str, Any]) -> str:
    """Return the name that a pasted document would have in the catalog."""
    metadata = definition.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    return f"{about.get('category', 'category')}/{about.get('id', 'document')}.yaml"


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Lines:
    """Return the lines by which two documents differ, as the service reads them."""
    return diff_lines(dump(_in_order_of(old, new)), dump(new))


def _in_order_of(old: Any, new: Any) -> Any:
    """Return the stored document, which has lost its order, in the order of the new one."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*(key for key in new if key in old), *(key for key in old if key not in new)]
        return {key: _in_order_of(old[key], new.get(key)) for key in keys}
    if isinstance(old, list):
        others = new if isinstance(new, list) else []
        return [
            _in_order_of(one, others[index] if index < len(others) else None)
            for index, one in enumerate(old)
        ]
    return old


def _excerpt(document: str, finding: Finding) -> str:
    """Return the line of a finding and a caret below its column."""
    lines = re.split(r"\r?\n", document)
    if not 1 <= finding.line <= len(lines):
        return ""
    line = lines[finding.line - 1][:200].expandtabs(1)
    return f"{line}\n{' ' * max(finding.column - 1, 0)}^"


def _sentence(errors: int, warnings: int) -> str:
    if errors:
        return ngettext(
            "%(n)s error keeps this document from being served.",
            "%(n)s errors keep this document from being served.",
            errors,
        ) % {"n": errors}
    if warnings:
        return ngettext(
            "It would be served; there is %(n)s warning.",
            "It would be served; there are %(n)s warnings.",
            warnings,
        ) % {"n": warnings}
    return _("It would be served as it is.")


def _preview_page(
    request: Request,
    *,
    document: str,
    preview: DocumentPreview | None,
    offered: Sequence[tuple[str, str]] = (),
    item: str = "",
) -> Response:
    return page(
        request,
        "pages/platform/preview.html",
        document=document,
        preview=preview,
        offered=offered,
        picked=item,
    )


def _platform_page(
    request: Request, services: Services, *, read: RefreshSummary | None = None, status: int = _GOOD
) -> Response:
    catalog_status = services.catalog.state.status
    return page(
        request,
        "pages/platform/platform.html",
        status=status,
        catalog=status_of(services.catalog),
        is_failed=status != _GOOD,
        most=_MOST_NAMED,
        owners=_by_file(services, catalog_status.ownership),
        refused=_by_file(services, catalog_status.refused),
        read=read,
    )


def _by_file(services: Services, stored: list[dict[str, Any]]) -> list[CheckedFile]:
    """Return what was found in each file; other rules may find something in every one."""
    state = services.catalog.state
    files: dict[str, list[Finding]] = {}
    for one in stored:
        files.setdefault(one["file"], []).append(Finding.model_validate(one))
    served = {one.file: f"{one.name} {one.version}" for one in state.index.rows.values()}
    folder = web_address((state.status.commit or {}).get("files"))
    return [
        CheckedFile(
            file, found, f"{folder}/{quote(file)}" if folder else None, served.get(file, "")
        )
        for file, found in files.items()
    ]
