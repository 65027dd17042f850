"""Reports to GitHub: one check run per commit by an App, else a commit status."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.sources.verdict import CHECK, Verdict
from catalog.validation import Finding, Severity
from pao.app.git_sources.github import GitHubSource
from pao.app.git_sources.report_texts import Conclusion, Report, report_of, untouched_report
from pao.clients.github.checks import MOST_ANNOTATIONS, MOST_DESCRIPTION, CommitChecks

# Ten calls; authors with more findings read the summary first.
MAX_ANNOTATED = 500
_CONCLUSIONS = {
    Conclusion.GOOD: "success",
    Conclusion.BAD: "failure",
    Conclusion.HELD: "action_required",
    Conclusion.UNTOUCHED: "skipped",
}
_STATES = {
    Conclusion.GOOD: "success",
    Conclusion.BAD: "failure",
    Conclusion.HELD: "pending",
    Conclusion.UNTOUCHED: "success",
}
_LEVELS = {
    Severity.ERROR: "failure",
    Severity.WARNING: "warning",
    Severity.SUGGESTION: "notice",
}


class GitHubReporter:
    """Reports to a repository; ``details`` is the address where people read more."""

    def __init__(self, source: GitHubSource, *, details: str | None = None) -> None:
        self._source = source
        self._checks = CommitChecks(source.repository)
        self._details = details

    async def report(self, verdict: Verdict, *, again: bool = False) -> None:
        """Report a verdict at its commit."""
        await self.send(report_of(verdict, self._source.folder), again=again)

    async def untouched(self, commit: str, *, again: bool = False) -> None:
        """Report that a proposal does not touch the catalog."""
        await self.send(untouched_report(commit), again=again)

    async def send(self, report: Report, *, again: bool = False) -> None:
        """Send a report; one that the commit already has is sent only ``again``."""
        with self._source.errors():
            if self._source.is_app:
                await self._check_run(report, again=again)
            else:
                await self._checks.set_status(report.commit, self._status(report))

    async def _check_run(self, report: Report, *, again: bool) -> None:
        """Create a check run, which is completed with its last annotations, never in part."""
        if not again:
            latest = await self._checks.latest(report.commit, CHECK)
            if latest and latest.is_completed and latest.external_id == report.digest:
                return
        output = {"title": report.title, "summary": report.summary()}
        first, *more = list(_annotations(report.findings[:MAX_ANNOTATED])) or [[]]
        end = {"status": "completed", "conclusion": _CONCLUSIONS[report.conclusion]}
        run = await self._checks.create(
            {
                "name": CHECK,
                "head_sha": report.commit,
                "external_id": report.digest,
                "output": output | {"annotations": first},
                **({"status": "in_progress"} if more else end),
                **self._link(),
            }
        )
        for number, part in enumerate(more, start=1):
            change = {"output": output | {"annotations": part}}
            await self._checks.update(run.id, change | (end if number == len(more) else {}))

    def _status(self, report: Report) -> Mapping[str, Any]:
        description = report.one_line(MOST_DESCRIPTION)
        link = {"target_url": self._details} if self._details else {}
        state = _STATES[report.conclusion]
        return {"state": state, "context": CHECK, "description": description, **link}

    def _link(self) -> Mapping[str, Any]:
        return {"details_url": self._details} if self._details else {}


def _annotations(findings: Sequence[Finding]) -> Iterator[list[dict[str, Any]]]:
    """Yield the annotations in batches for one call each."""
    for at in range(0, len(findings), MOST_ANNOTATIONS):
        yield [_annotation(finding) for finding in findings[at : at + MOST_ANNOTATIONS]]


def _annotation(finding: Finding) -> dict[str, Any]:
    message = f"{finding.message}\n{finding.hint}".strip()
    return {
        "path": finding.file,
        "start_line": finding.line,
        "end_line": finding.line,
        "start_column": finding.column,
        "end_column": finding.column,
        "annotation_level": _LEVELS[finding.severity],
        "title": finding.rule,
        "message": message[:4000],
    }
