"""The texts of reports to the authors of a catalog, for any forge."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from catalog.ownership import CODE_OWNERS_RULE
from catalog.sources.verdict import Verdict
from catalog.templating.messages import markdown_escape
from catalog.validation import Finding, Severity

MAX_SUMMARY = 60_000
"""In bytes: GitHub accepts 65,535 bytes, not characters."""
_MAX_LISTED = 200
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.SUGGESTION: 2}


class Conclusion(StrEnum):
    """The result for a commit."""

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
        """The identity of the report: it changes with the text."""
        parts = (self.conclusion, self.title, self.note, *map(str, self.findings))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def one_line(self, most: int) -> str:
        """Return the title and the worst finding, in one line of so many characters."""
        text = self.title
        if self.conclusion is Conclusion.BAD and self.findings:
            worst = self.findings[0]
            text = " ".join(f"{text}; {worst.file}:{worst.line} {worst.message}".split())
        return text if len(text) <= most else f"{text[: most - 3]}..."

    def summary(self) -> str:
        """Return the report as Markdown, shortened if it is long."""
        lines = [f"{self.note}\n"] if self.note else []
        lines += [_line(finding) for finding in self.findings[:_MAX_LISTED]]
        if len(self.findings) > _MAX_LISTED:
            lines.append(f"- ... and {len(self.findings) - _MAX_LISTED} more")
        text = "\n".join(lines) or "No document has a finding."
        written = text.encode()
        if len(written) <= MAX_SUMMARY:
            return text
        return f"{written[:MAX_SUMMARY].decode(errors='ignore')}\n..."


def report_of(verdict: Verdict, folder: str) -> Report:
    """Return the report of a verdict; ``folder`` is the catalog's in the repository."""
    findings = tuple(_in_order(_with_repository_paths(verdict.findings, folder)))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    others = len(findings) - len(errors)
    parts = _count_text(verdict.documents, "document")
    if verdict.emptied:
        title = "No document would be left"
        note = "That is never taken over: what is in service stays."
        return Report(verdict.revision, Conclusion.BAD, title, findings, note)
    if verdict.held is not None:
        title = "Held back: a person must confirm it"
        note = (
            f"{verdict.held}\n\nIf that is intended: `pao catalog refresh --confirm "
            f"{verdict.revision}`"
        )
        return Report(verdict.revision, Conclusion.HELD, title, findings, note)
    if errors:
        files = len({finding.file for finding in errors})
        title = (
            f"{_count_text(files, 'file')} of {parts} refused: {_count_text(len(errors), 'error')}"
        )
        note = "Refused files keep their last good version in service."
        return Report(verdict.revision, Conclusion.BAD, title, findings, note)
    title = f"{parts} valid" + (f", {_count_text(others, 'remark')}" if others else "")
    return Report(verdict.revision, Conclusion.GOOD, title, findings)


def untouched_report(commit: str) -> Report:
    """Return the report of a change that does not touch the catalog."""
    return Report(
        commit, Conclusion.UNTOUCHED, "The catalog is not touched", note="Nothing was checked."
    )


def _with_repository_paths(findings: Iterable[Finding], folder: str) -> Iterator[Finding]:
    for finding in findings:
        beside = finding.rule == CODE_OWNERS_RULE or not folder
        yield finding if beside else replace(finding, file=f"{folder}/{finding.file}")


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        findings, key=lambda one: (_ORDER[one.severity], one.file, one.line, one.column, one.rule)
    )


def _count_text(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _line(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    place = _on_one_line(f"{finding.file}:{finding.line}:{finding.column}")
    text = markdown_escape(" ".join(f"{finding.message}{hint}".split()))
    return f"- **{finding.severity}** `{place}` {text} [`{finding.rule}`]"


def _on_one_line(text: str) -> str:
    """Return a text that is safe inside a quoted part of a Markdown line."""
    return " ".join(text.split()).replace("`", "'")
