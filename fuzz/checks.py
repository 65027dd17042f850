"""What must hold for every answer, beside what Schemathesis checks of its own.

Which of its own checks are used is said in schemathesis.toml.
"""

import functools
import json
import re
from typing import Any, NoReturn

import jsonschema_rs
import schemathesis
from pydantic import ValidationError
from schemathesis import Case, CheckContext, Response
from schemathesis.core.failures import Failure

from api.requests.schemas import Submission
from api.schemas import Error
from catalog.forms.text_formats import DURATION_PATTERN
from fuzz.ground import forms
from fuzz.people import FuzzTarget, sent_body
from pao.core.durations import parse_duration

ENVELOPE = jsonschema_rs.Draft202012Validator(
    Error.model_json_schema(mode="serialization"), validate_formats=True
)
SUBMITTING = frozenset({"/api/v1/requests", "/api/v1/validate/request"})
READINESS = "/api/v1/health/ready"
_NAMED = {
    "uniqueBy": "x-pao-unique-by",
    "enum": "x-pao-options",
    "options": "x-pao-options",
    "required": "x-pao-required",
}
_DURATION = re.compile(DURATION_PATTERN)
TAKEN = frozenset({200, 201, 202})
UNAUTHORIZED, INVALID, TOO_MANY, SERVER, OUTSIDE = 401, 422, 429, 500, 502


@schemathesis.check
def nothing_breaks(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Allow no 5xx, but a 502 of an operation that says that an outside system may fail."""
    status = response.status_code
    if status < SERVER:
        return
    if status == OUTSIDE and str(OUTSIDE) in case.operation.responses.status_codes:
        return
    _fail(case, "Something broke", f"answered {status}")


@schemathesis.check
def signatures_hold(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Let in whatever was signed."""
    if response.status_code in {UNAUTHORIZED, TOO_MANY}:
        _fail(case, "A signed call was not let in", _code(response))


@schemathesis.check
def errors_have_their_envelope(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Have every refusal in the envelope, under the correlation id of its header."""
    if response.status_code < 400 or case.path == READINESS:  # noqa: PLR2004 -- the first refusal
        return
    try:
        document = json.loads(response.content)
    except ValueError:
        _fail(case, "An error that is no JSON", response.content[:200].decode(errors="replace"))
    problems = [problem.message for problem in ENVELOPE.iter_errors(document)]
    if problems:
        _fail(case, "An error without its envelope", "; ".join(problems))
    told = response.headers.get("x-correlation-id")
    if told != [document["error"]["correlationId"]]:
        _fail(case, "Two correlation ids", f"{told} in the header")


@schemathesis.check
def form_and_schema_agree(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Hold a form's JSON Schema to what the service takes and refuses."""
    if case.path not in SUBMITTING or case.method.upper() != "POST":
        return
    sent = _submission(response)
    if sent is None or sent.catalog_item_id not in _schemas():
        return
    problems = list(_schemas()[sent.catalog_item_id].iter_errors(sent.fields))
    if response.status_code in TAKEN and problems:
        told = "; ".join(problem.message for problem in problems)
        _fail(case, "Taken, although the form's JSON Schema refuses it", told)
    if response.status_code == INVALID and not problems and _refused(sent, response):
        _fail(case, "Refused, although the form's JSON Schema takes it", response.text)


def _submission(response: Response) -> Submission | None:
    try:
        return Submission.model_validate_json(sent_body(response.request))
    except ValidationError:
        return None


def _refused(sent: Submission, response: Response) -> list[Any]:
    """Return what is wrong with fields, except what JSON Schema cannot say."""
    form = _forms()[sent.catalog_item_id]
    return [
        detail
        for detail in response.json()["error"]["details"]
        if detail["field"].startswith("fields.") and not _is_beyond_schema(detail, form)
    ]


def _is_beyond_schema(detail: dict[str, Any], form: dict[str, Any]) -> bool:
    """Return whether a form's schema only names what a value was refused for, by ``x-pao-*``."""
    field = str(form["properties"].get(re.split(r"[.\[]", detail["field"])[1], {}))
    constraint = detail["constraint"]
    named = _NAMED.get(constraint)
    return (
        (named is not None and named in field)
        or constraint.startswith("rule:")
        # Which teams and people there are is no matter of a form.
        or constraint == "known"
        # Dates, durations and sizes are texts there.
        or (constraint in {"min", "max"} and isinstance(detail["received"], str))
        # A sum of parts that is longer than what is kept anywhere (pao/core/durations.py).
        or (detail["expected"] == "duration" and _is_too_long(str(detail["received"])))
    )


def _is_too_long(duration: str) -> bool:
    return bool(_DURATION.fullmatch(duration)) and parse_duration(duration) is None


@functools.cache
def _schemas() -> dict[str, jsonschema_rs.Draft202012Validator]:
    return {item: jsonschema_rs.Draft202012Validator(form) for item, form in _forms().items()}


@functools.cache
def _forms() -> dict[str, dict[str, Any]]:
    return dict(forms(FuzzTarget.from_environment()))


def _code(response: Response) -> str:
    document: Any = response.json()
    return f"{response.status_code}: {document['error']['message']}"


def _fail(case: Case[Any], title: str, message: str) -> NoReturn:
    raise _Finding(operation=case.operation.label, title=title, message=message)


class _Finding(Failure):
    """A finding of ours; two of one operation are told apart by their titles."""

    @property
    def _unique_key(self) -> str:
        return self.title
