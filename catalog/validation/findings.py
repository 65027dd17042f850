"""What validation finds, and how it is written. Which rules there are is in rules.py."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The severity of a finding; a file with an error is not served."""

    ERROR = "error"
    WARNING = "warning"
    SUGGESTION = "suggestion"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found in a document: where, by which rule, and what to do about it.

    ``line`` and ``column`` count from 1; ``path`` is a JSONPath such as ``$.metadata.id``.
    """

    file: str
    line: int
    column: int
    path: str
    rule: str
    severity: Severity
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Write it as compilers do: ``file:line:column: severity: message [rule]``."""
        message = f"{self.message} ({self.hint})" if self.hint else self.message
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {message} [{self.rule}]"
