"""Keeps one file's trouble in that file: an error of our own becomes a finding like any other."""

import logging
from collections.abc import Callable, Mapping

from catalog.loading import Document, DocumentError
from catalog.validation.findings import Finding, Severity
from catalog.validation.subject import ActionSchema
from catalog.validation.validator import ValidationResult, judge, unreadable

INTERNAL_ERROR = "internal-error"

_log = logging.getLogger(__name__)


def judge_isolated(
    read: Callable[[], Document], *, file: str, known_actions: Mapping[str, ActionSchema]
) -> ValidationResult:
    """Return the verdict on one file, whatever is in it; raises nothing that a document can cause.

    ``read`` loads the document and may raise ``DocumentError``.
    """
    try:
        return judge(read(), known_actions)
    except DocumentError as error:
        return ValidationResult(None, {}, (unreadable(error),))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must stay in this file
        _log.exception("checking the catalog file %s ended by an internal error", file)
        return ValidationResult(None, {}, (internal_error(file, error),))


def internal_error(file: str, error: Exception) -> Finding:
    """Return the finding of a file that PAO itself failed to check."""
    return Finding(
        file=file,
        line=1,
        column=1,
        path="$",
        rule=INTERNAL_ERROR,
        severity=Severity.ERROR,
        message=f"this file could not be checked because of an internal error of PAO"
        f" ({type(error).__name__}); all other files are served",
        hint="report the file to the maintainers of PAO; simplify what was changed last",
    )
