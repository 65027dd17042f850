"""Reports to GitLab: one commit status, with the first finding in its description."""

from catalog.sources.verdict import CHECK, Verdict
from pao.app.git_sources.gitlab import GitLabSource
from pao.app.git_sources.report_texts import Conclusion, Report, report_of, untouched_report

_MOST_DESCRIPTION = 255
_STATES = {
    Conclusion.GOOD: "success",
    Conclusion.BAD: "failed",
    Conclusion.HELD: "pending",
    Conclusion.UNTOUCHED: "success",
}


class GitLabReporter:
    """Reports to a project; ``details`` is the address where people read more."""

    def __init__(self, source: GitLabSource, *, details: str | None = None) -> None:
        self._source = source
        self._details = details

    async def report(self, verdict: Verdict, *, again: bool = False) -> None:  # noqa: ARG002 -- a status is set each time
        """Report a verdict at its commit."""
        await self.send(report_of(verdict, self._source.folder))

    async def untouched(self, commit: str, *, again: bool = False) -> None:  # noqa: ARG002 -- as above
        """Report that a proposal does not touch the catalog."""
        await self.send(untouched_report(commit))

    async def send(self, report: Report) -> None:
        """Send a report."""
        text = report.one_line(_MOST_DESCRIPTION)
        link = {"target_url": self._details} if self._details else {}
        status = {"state": _STATES[report.conclusion], "name": CHECK, "description": text, **link}
        with self._source.errors():
            await self._source.project.set_status(report.commit, status)
