"""What a catalog document is checked for: one rule per function."""

from catalog.validation.findings import Finding, Severity
from catalog.validation.folder import judge_files, judge_together
from catalog.validation.isolation import judge_isolated
from catalog.validation.subject import ActionSchema
from catalog.validation.validator import ValidationResult, judge, unreadable, validate_document

__all__ = [
    "ActionSchema",
    "Finding",
    "Severity",
    "ValidationResult",
    "judge",
    "judge_files",
    "judge_isolated",
    "judge_together",
    "unreadable",
    "validate_document",
]
