"""The log of a request on its page and beyond it; large requests stay within the budget."""

from typing import Any

from playwright.async_api import Page, expect

from tests.support.stack import Stack
from tests.web.person import Visit, judge
from tests.web.requesting import dns
from tests.web.test_budget import COLD_BYTES, COLD_REQUESTS, WARM_BYTES, cost

LINES = """
    INSERT INTO request_events (request_id, run_id, seq, kind, at, data)
    SELECT $1, 'lines', $2::int + n, 'log', now(), jsonb_build_object(
        'level', 'info', 'actionId', $4::text, 'attempt', 1, 'data', '{}'::jsonb,
        'message', 'line ' || ($2::int + n) || ' of the work')
    FROM generate_series(1, $3::int) AS n ORDER BY n
"""
COPY = """
    INSERT INTO requests SELECT (jsonb_populate_record(NULL::requests, to_jsonb(r) ||
        jsonb_build_object('id', $2::uuid, 'status', 'failed', 'title', $3::text))).*
    FROM requests AS r WHERE id = $1
"""
ACTIONS = """
    INSERT INTO request_actions (request_id, action_id, action_index, type, name, config, status,
        attempt, started_at, finished_at)
    SELECT $1, 'step-' || n, n - 1, 'rest-api', 'Step number ' || n, '{}', 'completed', 1,
        now() + n * interval '1 second', now() + (n + 2) * interval '1 second'
    FROM generate_series(1, 200) AS n
"""


def lines(stack: Stack, made: dict[str, Any], count: int, *, after: int = 0) -> None:
    stack.rows(LINES, made["id"], after, count, "record")


def copy_as_failed(
    stack: Stack, made: dict[str, Any], request_id: str, title: str
) -> dict[str, Any]:
    """Copy a request as a failed one, which no workflow changes."""
    stack.rows(COPY, made["id"], request_id, title)
    return {"id": request_id, "title": title}


async def test_a_long_log_is_read_from_its_end_and_searched_whole(
    stack: Stack, visit: Visit
) -> None:
    made = dns(stack, "long-log.example.com")
    lines(stack, made, 1200)
    page = await (await visit()).page(f"/requests/{made['id']}")
    box = page.locator("details.log")
    await expect(box.locator("summary")).to_contain_text("1202 lines")
    await box.locator("summary").click()
    await expect(box.locator("li")).to_have_count(500)
    for count in (1000, 1202):
        await box.get_by_role("link", name="Show 500 earlier").click()
        await expect(box.locator("li")).to_have_count(count)
    await expect(box.locator("li").first).to_contain_text("starts")
    await expect(box.get_by_text("Start of the log.")).to_be_visible()
    await expect(box.locator(".more-lines")).to_be_hidden()

    await page.get_by_label("Find in the whole log").fill("LINE 7 of")
    await page.get_by_role("button", name="Find").click()
    await expect(page.locator("mark")).to_have_text(["line 7 of"])
    await judge(page)
    await page.locator(".log-lines a").click()
    await expect(page.locator(":target")).to_contain_text("line 7 of the work")
    await expect(page.locator(".log-lines li").first).to_contain_text("starts")
    await page.goto(f"/requests/{made['id']}/log?q=nothing-has-this")
    await expect(page.get_by_text("No line contains 'nothing-has-this'.")).to_be_visible()


async def test_the_whole_log_is_downloaded_as_text(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "download.example.com")
    lines(stack, made, 2500)
    page = await (await visit()).page(f"/requests/{made['id']}")
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Download").click()
    download = await coming.value
    text = (await download.path()).read_text()
    assert len(text.splitlines()) == 2502
    assert text.splitlines()[-1].endswith("info [record] line 2500 of the work")


async def test_a_log_follows_its_end_only_while_the_reader_is_there(
    stack: Stack, visit: Visit
) -> None:
    stack.stop_worker()
    try:
        made = dns(stack, "follow.example.com")
        lines(stack, made, 100)
        page = await (await visit()).page(f"/requests/{made['id']}")
        box = page.locator(".log-lines")
        await page.locator("details.log summary").click()
        await expect(box.locator("li").last).to_be_in_viewport()
        await add_lines(stack, made, page, 1, after=100)
        await expect(box.locator("li").last).to_be_in_viewport()
        await expect(page.locator(".more-lines")).to_be_hidden()
        await box.evaluate("box => { box.scrollTop = 0; }")
        await expect(box.locator("li").first).to_be_in_viewport()
        await add_lines(stack, made, page, 18, after=101)
        more = page.get_by_role("button", name="18 new lines")
        await expect(more).to_be_visible()
        assert await box.evaluate("box => box.scrollTop") == 0
        await judge(page)
        await more.click()
        await expect(box.locator("li").last).to_be_in_viewport()
        await expect(box).to_be_focused()
        await expect(more).to_be_hidden()
    finally:
        stack.start_worker()


async def add_lines(
    stack: Stack, made: dict[str, Any], page: Page, count: int, *, after: int
) -> None:
    """Add lines as a worker would, and wait until the page has them."""
    lines(stack, made, count, after=after)
    stack.rows("SELECT pg_notify('pao_requests', $1)", made["id"])
    await expect(page.locator(".log-lines li")).to_have_count(after + count)


async def test_large_requests_stay_within_twice_the_budget(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "large.example.com")
    wide = copy_as_failed(stack, made, "0f7a5c1e-7f0e-4c3c-9a55-0d6a35a1a200", "wide.example.com")
    stack.rows(ACTIONS, wide["id"])
    stack.rows("UPDATE requests SET status = 'aborted' WHERE id = $1", wide["id"])
    lines(stack, made, 100_000)
    for one in (made, wide):
        page = await (await visit()).page("about:blank")
        requests, size = await cost(page, f"/requests/{one['id']}")
        assert requests <= COLD_REQUESTS + 3
        assert size <= 2 * COLD_BYTES
        _, size = await cost(page, f"/requests/{one['id']}")
        assert size <= 2 * WARM_BYTES
        assert await page.locator("li").count() < 1_500
    await expect(page.locator(".steps-done > li")).to_have_count(200)
    await judge(page)
