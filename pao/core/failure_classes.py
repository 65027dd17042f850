"""The table of failures: what a target's answer, or the lack of one, means and what to do about it.

Every client classifies by it, circuit breakers count by it, and the suggested decision follows
from it. ``docs/decisions.md`` shows the same table. Pure: workflows import it, too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pao.core.states import Decision

CANCELLED = "The action was cancelled while it was running; it may have taken effect."


class Cause(StrEnum):
    """Who or what caused a failure."""

    ACCESS = "access"
    QUOTA = "quota"
    INPUT = "input"
    TARGET_DOWN = "target-down"
    CONFLICT = "conflict"
    OURS = "ours"
    DECLINED = "declined"
    UNKNOWN = "unknown"


SUGGESTIONS: Mapping[Cause, tuple[Decision, str]] = {
    Cause.ACCESS: (
        Decision.ESCALATE,
        "Access was denied; the credentials or their rights must be corrected first.",
    ),
    Cause.QUOTA: (
        Decision.RETRY,
        "A quota of the target is used up; the same call may succeed later.",
    ),
    Cause.INPUT: (Decision.RETRY, "The values were refused; retry with corrected fields."),
    Cause.TARGET_DOWN: (
        Decision.RETRY,
        "The target was not ready; the same call may succeed later.",
    ),
    Cause.CONFLICT: (
        Decision.RETRY,
        "It conflicts with something that exists in the target; look there, then retry.",
    ),
    Cause.OURS: (
        Decision.ESCALATE,
        "PAO's own configuration, or the catalog item, must be fixed first.",
    ),
    Cause.DECLINED: (
        Decision.ABORT,
        "It was rejected. A retry asks again, or looks again.",
    ),
    Cause.UNKNOWN: (
        Decision.ESCALATE,
        "There is no sign that the same call would succeed next time.",
    ),
}
OURS_TRANSIENT = (
    Decision.RETRY,
    "PAO itself was not ready, and nothing was sent; the same call may succeed later.",
)


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One row of the table.

    ``counts``: the circuit breaker counts it as a failure of the target. ``doubtful``: as the
    answer to a change, it does not prove that nothing was done. ``silent``: nothing was sent, so
    it says nothing about the target.
    """

    answer: str
    cause: Cause
    retryable: bool = False
    counts: bool = False
    doubtful: bool = False
    silent: bool = False

    @property
    def suggestion(self) -> tuple[Decision, str]:
        """The decision to suggest if no outcome is unknown, and why."""
        return suggestion(self.cause, retryable=self.retryable)


def suggestion(cause: Cause, *, retryable: bool) -> tuple[Decision, str]:
    """Return the decision to suggest for a cause, and why."""
    if cause is Cause.UNKNOWN and retryable:
        return Decision.RETRY, "The same call may succeed later."
    return OURS_TRANSIENT if cause is Cause.OURS and retryable else SUGGESTIONS[cause]


# What a target answered.
REDIRECT = FailureClass("a redirect (3xx)", Cause.OURS, doubtful=True)
UNAUTHORIZED = FailureClass("401, 407, 451", Cause.ACCESS)
FORBIDDEN = FailureClass("403", Cause.ACCESS)
LIMITED = FailureClass(
    "402, 429, or a 400 or 403 that says it is a rate limit", Cause.QUOTA, retryable=True
)
HIDDEN = FailureClass("404 for a whole repository, project or account", Cause.ACCESS)
CONFLICT = FailureClass("409, 412, 423, 428", Cause.CONFLICT, retryable=True)
PROTECTED = FailureClass("403, 409 or 422 from a branch protection or a ruleset", Cause.ACCESS)
GATEWAY_TIMEOUT = FailureClass(
    "408, 425, 460, 499: a gateway gave up, or asks for a repeat",
    Cause.TARGET_DOWN,
    retryable=True,
    doubtful=True,
)
REFUSED = FailureClass("400, 404, 410, 422 and any other 4xx", Cause.INPUT)
BROKEN = FailureClass("5xx", Cause.TARGET_DOWN, retryable=True, counts=True, doubtful=True)
UNREADABLE = FailureClass(
    "a success that is unreadable or unexpected",
    Cause.UNKNOWN,
    doubtful=True,
)
# No answer came.
UNSENT = FailureClass(
    "no connection: name, port, TLS or proxy", Cause.TARGET_DOWN, retryable=True, counts=True
)
INTERRUPTED = FailureClass(
    "no complete answer in time, or the connection broke",
    Cause.TARGET_DOWN,
    retryable=True,
    counts=True,
    doubtful=True,
)
LAGGING = FailureClass(
    "nothing found, by a search that may lag behind", Cause.UNKNOWN, retryable=True
)
SUSPENDED = FailureClass(
    "nothing: the circuit is open, or all slots for the target are taken",
    Cause.TARGET_DOWN,
    retryable=True,
    silent=True,
)
# PAO refused before anything was sent.
BAD_CALL = FailureClass(
    "PAO refused: a bad address, header, body, template or configuration", Cause.INPUT, silent=True
)
NOT_ALLOWED = FailureClass(
    "PAO refused: an address or a module that the operator does not allow", Cause.OURS, silent=True
)
NOT_READY = FailureClass(
    "PAO was not ready: no time left, no worker, a secret store down",
    Cause.OURS,
    retryable=True,
    silent=True,
)
NOT_SET = FailureClass(
    "PAO is not set up: a missing secret or instance; a bug", Cause.OURS, silent=True
)
# People answered.
DECLINED = FailureClass("a rejection, or a ticket resolved as won't do", Cause.DECLINED)

TABLE: tuple[FailureClass, ...] = (
    REDIRECT,
    UNAUTHORIZED,
    FORBIDDEN,
    LIMITED,
    HIDDEN,
    CONFLICT,
    PROTECTED,
    GATEWAY_TIMEOUT,
    REFUSED,
    BROKEN,
    UNREADABLE,
    UNSENT,
    INTERRUPTED,
    LAGGING,
    SUSPENDED,
    BAD_CALL,
    NOT_ALLOWED,
    NOT_READY,
    NOT_SET,
    DECLINED,
)

_BY_STATUS: Mapping[int, FailureClass] = {
    401: UNAUTHORIZED,
    402: LIMITED,
    403: FORBIDDEN,
    407: UNAUTHORIZED,
    408: GATEWAY_TIMEOUT,
    409: CONFLICT,
    412: CONFLICT,
    423: CONFLICT,
    425: GATEWAY_TIMEOUT,
    428: CONFLICT,
    429: LIMITED,
    451: UNAUTHORIZED,
    460: GATEWAY_TIMEOUT,
    499: GATEWAY_TIMEOUT,
}
_REDIRECTS, _SUCCESSES, _FIRST_SERVER_ERROR = range(300, 400), range(200, 300), 500
# Headers that report an exhausted limit; names in lower case.
_NOTHING_LEFT = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
# The same in the header of the IETF's draft: `"burst";r=0;t=30`, in earlier ones `remaining=0`.
_NONE_REMAINS = re.compile(r"(?:^|[;,\s])(?:r|remaining)=0(?![\d.])")
# How targets report a limit that the status does not: GitHub's secondary limit (a 403 without
# rate-limit headers), Google's reasons, AWS error codes (400), Salesforce's. As a sentence, as the
# value of a code, or as a code in mixed case: names and fields may be called like a limit.
_SENTENCE = (
    r"(?:rate|request|secondary)[ -]limit\b[^.\"]{0,60}\b(?:exceeded|reached|exhausted)"
    r"|\bexceeded\b[^.\"]{0,60}\b(?:rate|request|secondary)[ -]limit"
    r"|\brate (?:exceeded|limited)|\btoo many requests"
)
_KEY = r"""(?:"(?:error|(?:error)?_?code|reason|status|_*type)"\s*:\s*"|<code>)[\w.:/#-]{0,80}?"""
_RATE_CODE = r"(?:rate|request)[_-]?limit|throttl(?:ing|ed)|too[_-]?many[_-]?requests"
_MIXED = (
    r"(?-i:[Rr]ateLimitExceeded|RequestLimitExceeded|ThrottlingException|ThrottledException"
    r"|TooManyRequests)"
)
_LIMIT_WORDS: Mapping[int, re.Pattern[str]] = {
    # A 400 about a value may mention limits, too: of lengths and sizes.
    400: re.compile(rf"{_SENTENCE}|{_KEY}(?:{_RATE_CODE})[\w-]*[\"<]|{_MIXED}", re.IGNORECASE),
    403: re.compile(
        rf"{_SENTENCE}|\b(?:quota|limit) exceeded|\bexceeded\b[^.\"]{{0,60}}\bquota"
        r"|\babuse detection|\bslow down\b"
        rf"|{_KEY}(?:{_RATE_CODE}|(?:limit|quota)[_-]?exceeded|slow[_-]?down)[\w-]*[\"<]"
        rf"|{_MIXED}|(?-i:[Qq]uotaExceeded|[a-z]LimitExceeded)",
        re.IGNORECASE,
    ),
}
_PROTECTION_WORDS = re.compile(
    r"protected branch|branch protection|rule violations? found|push declined due to",
    re.IGNORECASE,
)
_MAY_BE_PROTECTION = frozenset({403, 409, 422})
# How much of a text is searched for these words: they are near its beginning.
_READ_CHARACTERS = 10_000


def classify_answer(
    status: int, headers: Mapping[str, str] | None = None, text: str = ""
) -> FailureClass:
    """Classify an answer by its status, its headers (names in lower case) and its text.

    The text only disambiguates a status with two meanings, such as a 403 for missing rights and
    one for too many calls.
    """
    start = text[:_READ_CHARACTERS]
    if status in _LIMIT_WORDS and _is_limit(status, headers or {}, start):
        return LIMITED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in _SUCCESSES:
        return UNREADABLE
    if status in _REDIRECTS:
        return REDIRECT
    return BROKEN if status >= _FIRST_SERVER_ERROR else REFUSED


def classify_repository_answer(
    status: int, headers: Mapping[str, str] | None = None, text: str = ""
) -> FailureClass:
    """Classify an answer about a repository, whose branches may be protected."""
    if status in _MAY_BE_PROTECTION and _PROTECTION_WORDS.search(text[:_READ_CHARACTERS]):
        return PROTECTED
    return classify_answer(status, headers, text)


_RATE_WORDS = r"rate[\s_-]?limit|throttl|too[\s_-]?many[\s_-]?requests|request[\s_-]?limit"
_STATUS_IN_TEXT = re.compile(
    r"(?:status(?:[\s_]?code)?\s*+(?:[:=]\s*+)?|HTTP(?:/\d(?:\.\d)?)?\s+(?:response\s+)?|error\s+)"
    r"([345]\d\d)\b",
    re.IGNORECASE,
)
_WORDS: tuple[tuple[re.Pattern[str], FailureClass], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), row)
    for pattern, row in (
        (rf"{_RATE_WORDS}|quota[\s_-]?exceeded|limit[\s_-]?exceeded", LIMITED),
        (
            r"access[\s_-]?denied|permission denied|unauthori[sz]ed|forbidden|expired ?token",
            FORBIDDEN,
        ),
        (r"already[\s_-]?exists|already in use|conflict", CONFLICT),
        (r"connection refused|no such host|i/o timeout|connection reset|unavailable", UNSENT),
    )
)


def classify_report(text: str, *, otherwise: FailureClass) -> FailureClass:
    """Classify a tool's report about its own calls, whose status we did not see.

    Recognizes statuses and the usual wording of providers; ``otherwise`` is for the rest.
    """
    start = text[:_READ_CHARACTERS]
    if match := _STATUS_IN_TEXT.search(start):
        return classify_repository_answer(int(match[1]), {}, start)
    return next((row for pattern, row in _WORDS if pattern.search(start)), otherwise)


def _is_limit(status: int, headers: Mapping[str, str], text: str) -> bool:
    if status == 403 and (  # noqa: PLR2004 -- the only status that comes for both reasons
        "retry-after" in headers
        or any(headers.get(name) == "0" for name in _NOTHING_LEFT)
        or _NONE_REMAINS.search(headers.get("ratelimit", ""))
    ):
        return True
    return _LIMIT_WORDS[status].search(text) is not None


def cause_of(
    cause: str | None, *, status: int | None, retryable: bool, declined: bool = False
) -> Cause:
    """Return the cause of a failure; if none was stored, derive it from the other facts."""
    if declined:
        return Cause.DECLINED
    if cause in set(Cause):
        return Cause(cause)
    if status is not None and status not in _SUCCESSES:
        return classify_answer(status).cause
    return Cause.TARGET_DOWN if retryable else Cause.UNKNOWN
