"""Reports to GitHub: one check run per commit by an App, else a commit status."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.sources.verdict import CHECK, Verdict
from catalog.validation import Finding, Severity
from pao.app.git_sources.github import GitHubSource
from pao.app.git_sources.report_texts import Conclusion, Report, report_of, untouched
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

    async def report(self, verdict: Verdict, *, again: bool = False) -> None:
        """Report a verdict at its commit."""
        await self.tell(report_of(verdict, self._source.folder), again=again)

    async def untouched(self, commit: str, *, again: bool = False) -> None:
        """Say that a proposal does not touch the catalog."""
        await self.tell(untouched(commit), again=again)

    async def tell(self, report: Report, *, again: bool = False) -> None:
        """Report in words; what a commit was told already is not told again unless asked for."""
        with self._source.errors():
            if self._source.is_app:
                await self._check_run(report, again=again)
            else:
                await self._checks.set_status(report.commit, self._status(report))

    async def _check_run(self, report: Report, *, again: bool) -> None:
        """Create a check run, which is concluded with its last annotations: never told in part."""
        if not again:
            known = await self._checks.latest(report.commit, CHECK)
            if known and known.is_completed and known.external_id == report.digest:
                return
        output = {"title": report.title, "summary": report.summary()}
        first, *more = list(_annotations(report.findings[:MOST_TOLD])) or [[]]
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
        shown = report.first_told(MOST_DESCRIPTION)
        link = {"target_url": self._details} if self._details else {}
        state = _STATES[report.conclusion]
        return {"state": state, "context": CHECK, "description": shown, **link}

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
