"""Reports to GitHub: one check run per commit by an App, else a commit status."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.sources.verdict import Verdict
from catalog.validation import Finding, Severity
from pao.app.git_sources.github import GitHubSource
from pao.app.git_sources.report_texts import NAME, Conclusion, Report, report_of, untouched
from pao.clients.github.checks import MOST_ANNOTATIONS, MOST_DESCRIPTION, Checks

# Ten calls; whoever has more findings than that reads the summary first.
MOST_TOLD = 500
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
    """Tells a repository what was found at a commit; ``details`` is where people read more."""

    def __init__(self, source: GitHubSource, *, details: str | None = None) -> None:
        self._source = source
        self._checks = Checks(source.repository)
        self._details = details

    async def report(self, verdict: Verdict) -> None:
        """Report a verdict at its commit."""
        await self.tell(report_of(verdict, self._source.folder))

    async def untouched(self, commit: str) -> None:
        """Say that a proposal does not touch the catalog."""
        await self.tell(untouched(commit))

    async def tell(self, report: Report) -> None:
        """Report in words; what a commit was told already is not told again."""
        with self._source.errors():
            if self._source.is_app:
                await self._check_run(report)
            else:
                await self._checks.set_status(report.commit, self._status(report))

    async def _check_run(self, report: Report) -> None:
        known = await self._checks.latest(report.commit, NAME)
        if known is not None and known.external_id == report.digest:
            return
        told = report.findings[:MOST_TOLD]
        output = {"title": report.title, "summary": report.summary()}
        parts = list(_annotations(told))
        run = await self._checks.create(
            {
                "name": NAME,
                "head_sha": report.commit,
                "external_id": report.digest,
                "status": "completed",
                "conclusion": _CONCLUSIONS[report.conclusion],
                "output": output | {"annotations": parts[0]} if parts else output,
                **self._link(),
            }
        )
        for part in parts[1:]:
            await self._checks.annotate(run.id, output | {"annotations": part})

    def _status(self, report: Report) -> Mapping[str, Any]:
        shown = report.first_told(MOST_DESCRIPTION)
        link = {"target_url": self._details} if self._details else {}
        state = _STATES[report.conclusion]
        return {"state": state, "context": NAME, "description": shown, **link}

    def _link(self) -> Mapping[str, Any]:
        return {"details_url": self._details} if self._details else {}


def _annotations(findings: Sequence[Finding]) -> Iterator[list[dict[str, Any]]]:
    """Yield the annotations in parts that one call may carry."""
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
