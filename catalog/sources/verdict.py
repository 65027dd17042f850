"""The verdict of a sync, for reports to the authors of the catalog. No I/O here."""

from dataclasses import dataclass
from typing import Protocol

from catalog.sources.source import SourceCommit
from catalog.validation import Finding, Severity

CHECK = "pao/catalog"
"""What a forge calls the check or status of a commit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found at a revision; paths are relative to the folder of the catalog.

    ``findings`` are all of them, warnings included; ``held`` says why the revision is not in
    service, where it is held back. One that is ``emptied`` holds none of the documents in service.
    """

    revision: str
    findings: tuple[Finding, ...]
    documents: int
    commit: SourceCommit | None = None
    held: str | None = None
    emptied: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether anything of it would not be served."""
        errors = any(finding.severity is Severity.ERROR for finding in self.findings)
        return errors or self.emptied or self.held is not None


class VerdictReporter(Protocol):
    """Reports to the forge; called after the catalog is stored, once per revision that differs.

    What it raises is logged and changes nothing.
    """

    async def report(self, verdict: Verdict) -> None:
        """Report a verdict at its commit."""
        ...
