"""Targets that do not answer are named where somebody would meet them."""

from tests.support.stack import Stack
from tests.web.person import Visit

OPEN = """
insert into breakers (target, item, named, failures, last_error, failed_at, retry_at, failing_since)
values ($1, $2, true, 5, 'no answer', now(), now() + interval '1 minute', '2026-01-01T10:41:00Z')
returning 1
"""


async def test_who_is_about_to_request_is_told_what_does_not_answer(
    stack: Stack, visit: Visit
) -> None:
    at = await visit()
    stack.rows(OPEN, "jira:default", "")
    stack.rows(OPEN, "elsewhere.example.com", "")
    stack.rows(OPEN, "own.example.com", "network-dns-record")
    try:
        for path in ("/catalog/network-dns-record", "/catalog/network-dns-record/request"):
            text = await (await at.context.request.get(path)).text()
            assert "JIRA has not answered since 10:41." in text
            assert "own.example.com has not answered" in text
            assert "elsewhere.example.com" not in text
    finally:
        stack.rows("delete from breakers returning 1")
    text = await (await at.context.request.get("/catalog/network-dns-record")).text()
    assert "has not answered" not in text
