"""What a catalog document is checked for: one rule per function."""

from catalog.validation.findings import Finding, Severity
from catalog.validation.folder import check_across_files, validate_files
from catalog.validation.result import ValidationResult
from catalog.validation.subject import ActionSchema
from catalog.validation.validator import unreadable, validate

__all__ = [
    "ActionSchema",
    "Finding",
    "Severity",
    "ValidationResult",
    "check_across_files",
    "unreadable",
    "validate",
    "validate_files",
]
