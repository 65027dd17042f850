"""What a target said, judged by the one table; the page for operators shows the same table."""

from pathlib import Path
from typing import Any

import pytest

from pao.core import failure_classes
from pao.core.failure_classes import TABLE, Cause, FailureClass, classify_answer, suggestion
from pao.core.states import Decision

PAGE = Path(__file__).parents[3] / "docs" / "decisions.md"
SECONDARY = (
    '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes.",'
    ' "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"}'
)
GOOGLE = '{"error": {"errors": [{"reason": "userRateLimitExceeded"}], "code": 403}}'
SALESFORCE = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
AWS = '{"__type": "ThrottlingException", "message": "Rate exceeded"}'
TOO_LONG = '{"errors": {"summary": "Summary exceeds the limit of 255 characters."}}'
PROTECTED = '{"message": "Protected branch update failed for refs/heads/main."}'
RULES = '{"message": "Repository rule violations found"}'


@pytest.mark.parametrize(
    ("status", "headers", "text", "row"),
    [
        (400, {}, "", failure_classes.REFUSED),
        (404, {}, "", failure_classes.REFUSED),
        (410, {}, "", failure_classes.REFUSED),
        (418, {}, "", failure_classes.REFUSED),
        (422, {}, "", failure_classes.REFUSED),
        (401, {}, "", failure_classes.UNAUTHORIZED),
        (407, {}, "", failure_classes.UNAUTHORIZED),
        (403, {}, "", failure_classes.FORBIDDEN),
        (403, {}, '{"message": "Resource not accessible"}', failure_classes.FORBIDDEN),
        (403, {"x-ratelimit-remaining": "12"}, "", failure_classes.FORBIDDEN),
        (403, {"x-ratelimit-remaining": "0"}, "", failure_classes.LIMITED),
        (403, {"ratelimit-remaining": "0"}, "", failure_classes.LIMITED),
        (403, {"retry-after": "60"}, "", failure_classes.LIMITED),
        (403, {}, SECONDARY, failure_classes.LIMITED),
        (403, {}, GOOGLE, failure_classes.LIMITED),
        (403, {}, SALESFORCE, failure_classes.LIMITED),
        (400, {}, AWS, failure_classes.LIMITED),
        (400, {}, TOO_LONG, failure_classes.REFUSED),
        (402, {}, "", failure_classes.LIMITED),
        (429, {}, "", failure_classes.LIMITED),
        (429, {}, SECONDARY, failure_classes.LIMITED),
        (409, {}, "", failure_classes.CONFLICT),
        (412, {}, "", failure_classes.CONFLICT),
        (423, {}, "", failure_classes.CONFLICT),
        # Of whatever target: only a forge has branches to protect.
        (409, {}, PROTECTED, failure_classes.CONFLICT),
        (422, {}, '{"error": "the branch protection setting is invalid"}', failure_classes.REFUSED),
        (400, {}, '{"error": "field rate_limit must be a number"}', failure_classes.REFUSED),
        (400, {}, '{"errors": {"throttling": "must be true or false"}}', failure_classes.REFUSED),
        (400, {}, '{"code": "limit_exceeded", "field": "size"}', failure_classes.REFUSED),
        (400, {}, "<Code>Throttling</Code>", failure_classes.LIMITED),
        (400, {}, '{"error": "rate_limit"}', failure_classes.LIMITED),
        (400, {}, "Rate limit for this resource has been exceeded", failure_classes.LIMITED),
        (
            403,
            {},
            '{"error": "You may not create topic quota_exceeded"}',
            failure_classes.FORBIDDEN,
        ),
        (403, {}, '{"error": "denied", "name": "slow-downer"}', failure_classes.FORBIDDEN),
        (403, {}, '{"error": "You may not change the rate limit"}', failure_classes.FORBIDDEN),
        (403, {}, '{"reason": "quotaExceeded"}', failure_classes.LIMITED),
        (403, {}, '{"code": "DAILY_LIMIT_EXCEEDED"}', failure_classes.LIMITED),
        (403, {}, "Quota exceeded for quota metric 'Reads'", failure_classes.LIMITED),
        (403, {}, "You have triggered an abuse detection mechanism.", failure_classes.LIMITED),
        (403, {"ratelimit": '"burst";r=12, "daily";r=0;t=30'}, "", failure_classes.LIMITED),
        (403, {"ratelimit": "limit=100, remaining=0, reset=5"}, "", failure_classes.LIMITED),
        (403, {"ratelimit": '"default";r=10;t=0'}, "", failure_classes.FORBIDDEN),
        (408, {}, "", failure_classes.GATEWAY_TIMEOUT),
        (425, {}, "", failure_classes.GATEWAY_TIMEOUT),
        (499, {}, "", failure_classes.GATEWAY_TIMEOUT),
        (301, {}, "", failure_classes.REDIRECT),
        (302, {}, "", failure_classes.REDIRECT),
        (303, {}, "", failure_classes.REDIRECT),
        (500, {}, "", failure_classes.BROKEN),
        (501, {}, "", failure_classes.BROKEN),
        (503, {"retry-after": "60"}, "", failure_classes.BROKEN),
        (599, {}, "", failure_classes.BROKEN),
        (200, {}, "", failure_classes.UNREADABLE),
        (204, {}, "", failure_classes.UNREADABLE),
    ],
)
def test_each_answer_has_one_row(
    status: int, headers: dict[str, str], text: str, row: FailureClass
) -> None:
    assert classify_answer(status, headers, text) is row


@pytest.mark.parametrize(
    ("status", "text", "row"),
    [
        (409, PROTECTED, failure_classes.PROTECTED),
        (422, PROTECTED, failure_classes.PROTECTED),
        (403, RULES, failure_classes.PROTECTED),
        (422, "", failure_classes.REFUSED),
        (403, SECONDARY, failure_classes.LIMITED),
        (404, PROTECTED, failure_classes.REFUSED),
    ],
)
def test_a_forge_may_protect_a_branch(status: int, text: str, row: FailureClass) -> None:
    assert failure_classes.classify_repository_answer(status, {}, text) is row


OTHER = failure_classes.NOT_SET


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("unexpected status code: 403", failure_classes.FORBIDDEN),
        ("StatusCode=429", failure_classes.LIMITED),
        ("status 409 Conflict", failure_classes.CONFLICT),
        ("HTTP/1.1 503 Service Unavailable", failure_classes.BROKEN),
        ("HTTP response 422: branch protection forbids it", failure_classes.PROTECTED),
        ("error 404", failure_classes.REFUSED),
        ("4031 rows were read", OTHER),
        ("status 1403", OTHER),
        ("Throttling: Rate exceeded", failure_classes.LIMITED),
        ("QuotaExceeded for cores", failure_classes.LIMITED),
        ("Error 403: too fast, userRateLimitExceeded", failure_classes.LIMITED),
        ("StatusCode: 400, RequestLimitExceeded", failure_classes.LIMITED),
        ("AccessDenied: not authorized", failure_classes.FORBIDDEN),
        ("the token is expired token", failure_classes.FORBIDDEN),
        ("bucket already exists", failure_classes.CONFLICT),
        ("dial tcp: connection refused", failure_classes.UNSENT),
        ("no such host, access denied", failure_classes.FORBIDDEN),
        ("x" * 9_993 + "conflict", OTHER),
        ("x" * 9_992 + "conflict", failure_classes.CONFLICT),
        ("something else", OTHER),
        ("", OTHER),
    ],
)
def test_the_report_of_a_tool_is_judged_by_its_words(text: str, row: FailureClass) -> None:
    assert failure_classes.classify_report(text, otherwise=OTHER) is row


@pytest.mark.parametrize(
    ("cause", "facts", "found"),
    [
        ("quota", {"status": 401, "retryable": False, "declined": True}, Cause.DECLINED),
        ("quota", {"status": 401, "retryable": False}, Cause.QUOTA),
        ("of a later version", {"status": 401, "retryable": True}, Cause.ACCESS),
        (None, {"status": 500, "retryable": False}, Cause.TARGET_DOWN),
        (None, {"status": 204, "retryable": False}, Cause.UNKNOWN),
        (None, {"status": 204, "retryable": True}, Cause.TARGET_DOWN),
        (None, {"status": None, "retryable": False}, Cause.UNKNOWN),
    ],
)
def test_the_cause_of_a_failure_that_stored_none(
    cause: str | None, facts: dict[str, Any], found: Cause
) -> None:
    assert failure_classes.cause_of(cause, **facts) is found


def test_only_a_4xx_that_no_gateway_gives_proves_that_nothing_was_done() -> None:
    for status in range(200, 600):
        gateway = status in {408, 425, 460, 499}
        proves = status in range(400, 500) and not gateway
        assert classify_answer(status).doubtful is not proves, status


def test_what_we_refuse_by_ourselves_never_blames_a_target() -> None:
    silent = [row for row in TABLE if row.silent]
    assert failure_classes.BAD_CALL in silent
    assert failure_classes.NOT_READY in silent
    assert not any(row.counts for row in silent)


def test_every_cause_has_a_suggestion_and_denied_access_is_no_rate_limit() -> None:
    for cause in Cause:
        for retryable in (True, False):
            decision, why = suggestion(cause, retryable=retryable)
            assert decision in Decision
            assert why.endswith(".")
    assert classify_answer(403).suggestion[0] == Decision.ESCALATE
    assert classify_answer(403, {}, SECONDARY).suggestion[0] == Decision.RETRY


def test_the_page_for_operators_shows_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in TABLE:
        decision, _ = row.suggestion
        cells = (
            row.answer,
            f"`{row.cause}`",
            _yes(row.retryable),
            _yes(row.counts),
            "unknown" if row.doubtful else "nothing was done",
            decision,
        )
        assert f"| {' | '.join(cells)} |" in page, row.answer


def _yes(given: bool) -> str:  # noqa: FBT001 -- a cell of the table
    return "yes" if given else "no"
