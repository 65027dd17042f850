"""What is wrong with the fields of a form, in words. Pure."""

from collections.abc import Iterable

from api.web.datetimes import INCOMPLETE
from api.web.words import _
from catalog.forms.form import FieldError

MOST_REPEATED = 60
"""The longest text that an error repeats."""


def errors_by_path(errors: Iterable[FieldError]) -> dict[str, str]:
    """Return the first error of each field, of those in rows as well."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(error.field, error_words(error))
    return found


def error_words(error: FieldError) -> str:
    """Return what is wrong with what was entered, where that is short enough to be repeated."""
    entered = error.received
    if not isinstance(entered, str) or not entered.strip() or entered == INCOMPLETE:
        return error.message
    is_long = len(entered) > MOST_REPEATED or "\n" in entered or entered.startswith("data:")
    if is_long or entered in error.message:
        return error.message
    problem = error.message.removesuffix(".")
    return _("%(problem)s. You entered '%(text)s'.") % {"problem": problem, "text": entered}
