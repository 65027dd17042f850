"""The status of the catalog and the report of a refresh, as documents of the API."""

from datetime import UTC, datetime
from typing import Any

from api.catalog import schemas
from api.catalog.service import CatalogService
from pao.core.payloads.catalog import HeldRevision, SyncReport
from pao.core.timestamps import timestamp


def status_of(catalog: CatalogService) -> schemas.CatalogStatus:
    """Return where the catalog comes from, how old it is, and what is not served."""
    state = catalog.state
    status, age = state.status, state.age(datetime.now(UTC))
    return schemas.CatalogStatus(
        source=status.source,
        revision=status.revision,
        commit=_commit(status.commit),
        read_at=_moment(status.synced_at),
        asked_at=_moment(status.asked_at),
        age_seconds=None if age is None else round(age, 1),
        generation=status.generation,
        items=state.index.requested,
        stale=state.index.stale,
        refused=state.refused_files,
        problem=schemas.SourceProblem.model_validate(
            {
                "cause": status.error_cause or "unavailable",
                "message": status.error,
                "since": _moment(status.error_since),
                "until": _moment(status.error_until),
            }
        )
        if status.error
        else None,
        held=stored_held_revision(status.held),
        outdated=status.outdated,
        notice=status.notice,
        limits=list(catalog.limits),
        ownership=len(status.ownership),
        unreported=_unreported(status.unreported),
    )


def report_of(report: SyncReport | None) -> schemas.RefreshReport:
    """Return what a refresh has changed; None is one that is still running."""
    if report is None:
        return schemas.RefreshReport(added=[], changed=[], removed=[], refused=[], pending=True)
    held = report.held
    return schemas.RefreshReport(
        added=list(report.added),
        changed=list(report.changed),
        removed=list(report.removed),
        refused=list(report.refused),
        revision=report.revision,
        held=_held_revision(held) if held else None,
        outdated=report.outdated,
        unnamed=schemas.Unnamed(**report.unnamed) if report.unnamed else None,
    )


def stored_held_revision(stored: dict[str, Any] | None) -> schemas.HeldRevision | None:
    """Return a revision that is held back, as it was stored."""
    if not stored:
        return None
    since = stored.get("since")
    moment = timestamp(datetime.fromisoformat(since)) if since else None
    return _held_revision(HeldRevision.from_document(stored)).model_copy(update={"since": moment})


def _held_revision(held: HeldRevision) -> schemas.HeldRevision:
    return schemas.HeldRevision(
        revision=held.revision, removes=held.removes, served=held.served, items=list(held.items)
    )


def _commit(stored: dict[str, Any] | None) -> schemas.CatalogCommit | None:
    if not stored:
        return None
    at = stored.get("at")
    moment = timestamp(datetime.fromisoformat(at)) if at else None
    return schemas.CatalogCommit(
        id=stored["id"],
        subject=stored.get("subject", ""),
        author=stored.get("author", ""),
        at=moment,
        url=stored.get("url"),
    )


def _unreported(unreported: dict[str, dict[str, Any]]) -> schemas.UnreportedCommits | None:
    if not unreported:
        return None
    commit, report = max(unreported.items(), key=lambda one: str(one[1]["at"]))
    since = timestamp(datetime.fromisoformat(report["since"]))
    return schemas.UnreportedCommits.model_validate(
        report | {"commits": len(unreported), "commit": commit, "since": since}
    )


def _moment(at: datetime | None) -> str | None:
    return timestamp(at) if at else None
