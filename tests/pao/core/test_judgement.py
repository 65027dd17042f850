"""What a target said, judged by the one table; the page for operators shows the same table."""

from pathlib import Path
from typing import Any

import pytest

from pao.core import judgement
from pao.core.judgement import TABLE, Cause, FailureClass, judge, suggestion
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
        (400, {}, "", judgement.REFUSED),
        (404, {}, "", judgement.REFUSED),
        (410, {}, "", judgement.REFUSED),
        (418, {}, "", judgement.REFUSED),
        (422, {}, "", judgement.REFUSED),
        (401, {}, "", judgement.UNAUTHORIZED),
        (407, {}, "", judgement.UNAUTHORIZED),
        (403, {}, "", judgement.FORBIDDEN),
        (403, {}, '{"message": "Resource not accessible"}', judgement.FORBIDDEN),
        (403, {"x-ratelimit-remaining": "12"}, "", judgement.FORBIDDEN),
        (403, {"x-ratelimit-remaining": "0"}, "", judgement.LIMITED),
        (403, {"ratelimit-remaining": "0"}, "", judgement.LIMITED),
        (403, {"retry-after": "60"}, "", judgement.LIMITED),
        (403, {}, SECONDARY, judgement.LIMITED),
        (403, {}, GOOGLE, judgement.LIMITED),
        (403, {}, SALESFORCE, judgement.LIMITED),
        (400, {}, AWS, judgement.LIMITED),
        (400, {}, TOO_LONG, judgement.REFUSED),
        (402, {}, "", judgement.LIMITED),
        (429, {}, "", judgement.LIMITED),
        (429, {}, SECONDARY, judgement.LIMITED),
        (409, {}, "", judgement.CONFLICT),
        (412, {}, "", judgement.CONFLICT),
        (423, {}, "", judgement.CONFLICT),
        # Of whatever target: only a forge has branches to protect.
        (409, {}, PROTECTED, judgement.CONFLICT),
        (422, {}, '{"error": "the branch protection setting is invalid"}', judgement.REFUSED),
        (400, {}, '{"error": "field rate_limit must be a number"}', judgement.REFUSED),
        (400, {}, '{"errors": {"throttling": "must be true or false"}}', judgement.REFUSED),
        (400, {}, '{"code": "limit_exceeded", "field": "size"}', judgement.REFUSED),
        (400, {}, "<Code>Throttling</Code>", judgement.LIMITED),
        (400, {}, '{"error": "rate_limit"}', judgement.LIMITED),
        (400, {}, "Rate limit for this resource has been exceeded", judgement.LIMITED),
        (403, {}, '{"error": "You may not create topic quota_exceeded"}', judgement.FORBIDDEN),
        (403, {}, '{"error": "denied", "name": "slow-downer"}', judgement.FORBIDDEN),
        (403, {}, '{"error": "You may not change the rate limit"}', judgement.FORBIDDEN),
        (403, {}, '{"reason": "quotaExceeded"}', judgement.LIMITED),
        (403, {}, '{"code": "DAILY_LIMIT_EXCEEDED"}', judgement.LIMITED),
        (403, {}, "Quota exceeded for quota metric 'Reads'", judgement.LIMITED),
        (403, {}, "You have triggered an abuse detection mechanism.", judgement.LIMITED),
        (403, {"ratelimit": '"burst";r=12, "daily";r=0;t=30'}, "", judgement.LIMITED),
        (403, {"ratelimit": "limit=100, remaining=0, reset=5"}, "", judgement.LIMITED),
        (403, {"ratelimit": '"default";r=10;t=0'}, "", judgement.FORBIDDEN),
        (408, {}, "", judgement.GATEWAY_WAITED),
        (425, {}, "", judgement.GATEWAY_WAITED),
        (499, {}, "", judgement.GATEWAY_WAITED),
        (301, {}, "", judgement.REDIRECT),
        (302, {}, "", judgement.REDIRECT),
        (303, {}, "", judgement.REDIRECT),
        (500, {}, "", judgement.BROKEN),
        (501, {}, "", judgement.BROKEN),
        (503, {"retry-after": "60"}, "", judgement.BROKEN),
        (599, {}, "", judgement.BROKEN),
        (200, {}, "", judgement.UNREADABLE),
        (204, {}, "", judgement.UNREADABLE),
    ],
)
def test_each_answer_has_one_row(
    status: int, headers: dict[str, str], text: str, row: FailureClass
) -> None:
    assert judge(status, headers, text) is row


@pytest.mark.parametrize(
    ("status", "text", "row"),
    [
        (409, PROTECTED, judgement.PROTECTED),
        (422, PROTECTED, judgement.PROTECTED),
        (403, RULES, judgement.PROTECTED),
        (422, "", judgement.REFUSED),
        (403, SECONDARY, judgement.LIMITED),
        (404, PROTECTED, judgement.REFUSED),
    ],
)
def test_a_forge_may_protect_a_branch(status: int, text: str, row: FailureClass) -> None:
    assert judgement.judge_repository(status, {}, text) is row


OTHER = judgement.NOT_SET


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("unexpected status code: 403", judgement.FORBIDDEN),
        ("StatusCode=429", judgement.LIMITED),
        ("status 409 Conflict", judgement.CONFLICT),
        ("HTTP/1.1 503 Service Unavailable", judgement.BROKEN),
        ("HTTP response 422: branch protection forbids it", judgement.PROTECTED),
        ("error 404", judgement.REFUSED),
        ("4031 rows were read", OTHER),
        ("status 1403", OTHER),
        ("Throttling: Rate exceeded", judgement.LIMITED),
        ("QuotaExceeded for cores", judgement.LIMITED),
        ("Error 403: too fast, userRateLimitExceeded", judgement.LIMITED),
        ("StatusCode: 400, RequestLimitExceeded", judgement.LIMITED),
        ("AccessDenied: not authorized", judgement.FORBIDDEN),
        ("the token is expired token", judgement.FORBIDDEN),
        ("bucket already exists", judgement.CONFLICT),
        ("dial tcp: connection refused", judgement.UNSENT),
        ("no such host, access denied", judgement.FORBIDDEN),
        ("x" * 9_993 + "conflict", OTHER),
        ("x" * 9_992 + "conflict", judgement.CONFLICT),
        ("something else", OTHER),
        ("", OTHER),
    ],
)
def test_the_report_of_a_tool_is_judged_by_its_words(text: str, row: FailureClass) -> None:
    assert judgement.judge_text(text, otherwise=OTHER) is row


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
    assert judgement.cause_of(cause, **facts) is found


def test_only_a_4xx_that_no_gateway_gives_proves_that_nothing_was_done() -> None:
    for status in range(200, 600):
        gateway = status in {408, 425, 460, 499}
        proves = status in range(400, 500) and not gateway
        assert judge(status).doubtful is not proves, status


def test_what_we_refuse_by_ourselves_never_blames_a_target() -> None:
    silent = [row for row in TABLE if row.silent]
    assert judgement.BAD_CALL in silent
    assert judgement.NOT_READY in silent
    assert not any(row.counts for row in silent)


def test_every_cause_has_a_suggestion_and_denied_access_is_no_rate_limit() -> None:
    for cause in Cause:
        for retryable in (True, False):
            decision, why = suggestion(cause, retryable=retryable)
            assert decision in Decision
            assert why.endswith(".")
    assert judge(403).suggestion[0] == Decision.ESCALATE
    assert judge(403, {}, SECONDARY).suggestion[0] == Decision.RETRY


def test_the_page_for_operators_shows_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in TABLE:
        decision, _ = row.suggestion
        cells = (
            row.said,
            f"`{row.cause}`",
            _yes(row.retryable),
            _yes(row.counts),
            "unknown" if row.doubtful else "nothing was done",
            decision,
        )
        assert f"| {' | '.join(cells)} |" in page, row.said


def _yes(given: bool) -> str:  # noqa: FBT001 -- a cell of the table
    return "yes" if given else "no"
