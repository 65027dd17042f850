"""Why an action failed, and what it left behind."""

from dataclasses import dataclass, field, replace
from typing import Any

from pao.core.documents import to_document
from pao.core.failure_classes import Cause, cause_of


@dataclass(frozen=True)
class PartialResource:
    """Something that a failed action left behind, and what to do by hand about it.

    ``move`` is the number of the move to another place by which a correction left it; 0 where it
    was left otherwise. It distinguishes what was left again from what was dealt with before.
    """

    type: str
    id: str | None = None
    url: str | None = None
    cleanup: str | None = None
    move: int = 0


@dataclass(frozen=True)
class ActionFailure:
    """Why an action failed, as it is shown and kept; texts are masked and bounded.

    ``refused``: people said no, by a rejection or a ticket that will not be done.
    ``answered``: before it ended, the attempt learned what earlier ones had done, so their doubt is
    over. ``whole``: ``partial`` lists all that is there, and replaces what earlier attempts listed.
    ``absent``: they had left nothing. ``sent`` is what this attempt sent, sealed, where it may have
    had an effect. ``askable``: the target can be asked whether the effect is there; ``retry`` says
    what a retry does where the outcome is unknown, ``by_hand`` what a person can do.
    ``cause`` is one of those of pao/core/failure_classes.py; none in failures of earlier versions.
    """

    code: str
    message: str
    http_status: int | None = None
    response_body: str | None = None
    retryable: bool = False
    outcome_unknown: bool = False
    partial: list[PartialResource] = field(default_factory=list)
    refused: bool = False
    answered: bool = False
    whole: bool = False
    absent: bool = False
    sent: str | None = None
    digest: str | None = None
    askable: bool = True
    cause: str | None = None
    retry: str | None = None
    by_hand: str | None = None

    @property
    def known_cause(self) -> Cause:
        """Who or what caused it; derived from the other facts if none was stored."""
        return cause_of(
            self.cause,
            status=self.http_status,
            retryable=self.retryable,
            declined=self.refused,
        )

    def public_document(self) -> dict[str, Any]:
        """Return the part that people and callers see: the ``error`` of the API."""
        document = to_document(replace(self, cause=self.known_cause))
        return {key: document[key] for key in PUBLIC_FIELDS}


PUBLIC_FIELDS = (
    "code",
    "message",
    "httpStatus",
    "responseBody",
    "retryable",
    "outcomeUnknown",
    "cause",
)
