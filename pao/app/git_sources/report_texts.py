"""What the authors of a catalog are told about a commit, in the words of any forge."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from catalog.ownership import CODE_OWNERS_RULE
from catalog.sources.verdict import Verdict
from catalog.templating.messages import markdown_escape
from catalog.validation import Finding, Severity

MOST_SUMMARY = 60_000
"""In bytes: GitHub takes 65,535, and counts no characters."""
_LISTED = 200
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.SUGGESTION: 2}


class Conclusion(StrEnum):
    """How a commit is judged."""

    GOOD = "good"
    BAD = "bad"
    HELD = "held"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict in words; the findings are those of highest severity first, by repository path."""

    commit: str
    conclusion: Conclusion
    title: str
    findings: tuple[Finding, ...] = ()
    note: str = ""

    @property
    def digest(self) -> str:
        """What the report is known by: another text means that something else is told."""
        told = (self.conclusion, self.title, self.note, *map(str, self.findings))
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]

    def first_told(self, most: int) -> str:
        """Return the title and the worst finding, in one line of so many characters."""
        text = self.title
        if self.conclusion is Conclusion.BAD and self.findings:
            worst = self.findings[0]
            text = " ".join(f"{text}; {worst.file}:{worst.line} {worst.message}".split())
        return text if len(text) <= most else f"{text[: most - 3]}..."

    def summary(self) -> str:
        """Return the report as Markdown, shortened where it is long."""
        lines = [f"{self.note}\n"] if self.note else []
        lines += [_line(finding) for finding in self.findings[:_LISTED]]
        if len(self.findings) > _LISTED:
            lines.append(f"- ... and {len(self.findings) - _LISTED} more")
        text = "\n".join(lines) or "No document has a finding."
        written = text.encode()
        if len(written) <= MOST_SUMMARY:
            return text
        return f"{written[:MOST_SUMMARY].decode(errors='ignore')}\n..."


def report_of(verdict: Verdict, folder: str) -> Report:
    """Return what to tell of a verdict; ``folder`` is the catalog's in the repository."""
    findings = tuple(_sorted(_placed(verdict.findings, folder)))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    others = len(findings) - len(errors)
    told = _counted(verdict.documents, "document")
    if verdict.emptied:
        title = "No document would be left"
        note = "That is never taken over: what is in service stays."
        return Report(verdict.revision, Conclusion.BAD, title, findings, note)
    if verdict.held is not None:
        title = "Held back: a person must confirm it"
        note = (
            f"{verdict.held}\n\nIf that is meant: `pao catalog refresh --confirm "
            f"{verdict.revision}`"
        )
        return Report(verdict.revision, Conclusion.HELD, title, findings, note)
    if errors:
        files = len({finding.file for finding in errors})
        title = f"{_counted(files, 'file')} of {told} refused: {_counted(len(errors), 'error')}"
        note = "Refused files keep their last good version in service."
        return Report(verdict.revision, Conclusion.BAD, title, findings, note)
    title = f"{told} valid" + (f", {_counted(others, 'remark')}" if others else "")
    return Report(verdict.revision, Conclusion.GOOD, title, findings)


def untouched(commit: str) -> Report:
    """Return what to tell of a change that is not about the catalog."""
    return Report(
        commit, Conclusion.UNTOUCHED, "The catalog is not touched", note="Nothing was judged."
    )


def _placed(findings: Iterable[Finding], folder: str) -> Iterator[Finding]:
    for finding in findings:
        beside = finding.rule == CODE_OWNERS_RULE or not folder
        yield finding if beside else replace(finding, file=f"{folder}/{finding.file}")


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        findings, key=lambda one: (_ORDER[one.severity], one.file, one.line, one.column, one.rule)
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _line(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    place = _on_one_line(f"{finding.file}:{finding.line}:{finding.column}")
    text = markdown_escape(" ".join(f"{finding.message}{hint}".split()))
    return f"- **{finding.severity}** `{place}` {text} [`{finding.rule}`]"


def _on_one_line(text: str) -> str:
    """Return a text that neither ends a line of Markdown nor what is quoted in it."""
    return " ".join(text.split()).replace("`", "'")
