"""What the forms of a decision post, read within bounds."""

from typing import Any

from starlette.datastructures import FormData

from api.requests.schemas import Evidence
from api.web.forms import text_of
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError
from pao.core.strict_json import read_json

MOST_REASON = 2_000
_MOST_DIGITS = 9


def reason_of(posted: FormData) -> tuple[str, list[str]]:
    """Return the reason, and what is wrong with it."""
    reason = text_of(posted, "reason").replace("\r\n", "\n").strip()
    if not reason:
        return reason, [_("Enter a reason; it is kept in the audit trail.")]
    if len(reason) > MOST_REASON:
        return reason, [_("Shorten the reason to 2,000 characters.")]
    return reason, []


def attempt_of(posted: FormData) -> int | None:
    """Return the attempt that the page was made for."""
    given = text_of(posted, "attempt")
    return int(given) if given.isdecimal() and len(given) <= _MOST_DIGITS else None


def evidence_of(posted: FormData) -> Evidence | None:
    """Return what a person says to have seen in the target; raises for what cannot be read."""
    seen, outputs = text_of(posted, "evidence"), text_of(posted, "outputs").strip()
    if seen == "absent" or (seen == "present" and not outputs):
        return Evidence(present=seen == "present")
    return Evidence(present=True, outputs=_object(outputs)) if seen == "present" else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = read_json(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(value, dict):
        raise _unreadable(_("it is not an object"))
    return value


def _unreadable(why: str) -> PaoError:
    text = _('The outputs must be a JSON object such as {"key": "NET-7"}: %(why)s.')
    return PaoError(ErrorCode.VALIDATION_ERROR, text % {"why": why})
