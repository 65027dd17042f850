"""Texts from outside: they are shown as texts, hide nothing, and break no layout."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from api.web.visible_text import visible_text
from tests.support.callers import ADA, DANA, PRIYA
from tests.support.inventory import Inventory
from tests.support.stack import Stack, wait_until
from tests.web.connections import is_live
from tests.web.hostile import hostile_item
from tests.web.person import HEIGHT, Visit, judge, picture
from tests.web.requesting import dns, submit, submit_for_approval, wait_until_failed

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
LONG = "w" * 300
WIDER = "document.scrollingElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain ä 漢字 ✓\n\ttext", "plain ä 漢字 ✓\n\ttext"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("a\x00b\x07", "a\u2400b\u2407"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("a\u2066b\u2069", "a\ufffdb\ufffd"),
        ("line\u2028end", "line\u2424end"),
        (17, 17),
    ],
)
def test_control_and_bidi_characters_become_marks(given: Any, expected: Any) -> None:
    assert visible_text(given) == expected


async def harmless(page: Page) -> None:
    """Fail if anything of the markup has become an element."""
    assert await page.locator("img[src=x], main script").count() == 0
    assert "49" not in (await page.locator("main").inner_text()).split()
    await judge(page)


async def test_a_field_with_markup_is_a_text_everywhere(visit: Visit) -> None:
    at = await visit()
    page = await at.page("/catalog/web-kitchen-sink/request")
    await page.get_by_label("Note").fill(f"{MARKUP} \u202e {LONG}")
    await page.get_by_label("Region").fill(LONG)
    await page.get_by_label("Title").fill("hostile")
    await page.get_by_role("textbox", name="Access token").fill("long enough")
    await page.get_by_label("Size").select_option("Small")
    await page.get_by_role("button", name="Review").last.click()
    await expect(page).to_have_title("Review Kitchen Sink - PAO")
    await expect(page.get_by_text("onerror=alert(1)").first).to_be_visible()
    await harmless(page)
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url("**/requests/*")
    await expect(page.get_by_text("onerror=alert(1)").first).to_be_visible()
    await harmless(page)
    await page.goto("/requests")
    await harmless(page)


async def test_what_a_target_says_is_a_text(stack: Stack, visit: Visit) -> None:
    message = f"{MARKUP} \x1b[31mred {LONG}"
    stack.jira.fault("status", status=400, message=message)
    made = submit(stack, "network-dns-record", hostName="hostile.example.com", address="10.0.0.7")
    stack.jira.clear_faults()
    page = await (await visit(PRIYA)).page(f"/requests/{made['id']}")
    for path in (f"/requests/{made['id']}", f"/requests/{made['id']}/decide", "/waiting"):
        await page.goto(path)
        await expect(page.get_by_text("onerror=alert(1)").first).to_be_visible()
        await harmless(page)


async def test_what_is_asked_for_in_an_address_is_a_text(visit: Visit) -> None:
    at = await visit()
    at.watched.expected.append("404")
    for path in (f"/catalog?q={MARKUP}", f"/requests?q={MARKUP}", f"/requests/{LONG}"):
        page = await at.page(path)
        await harmless(page)


async def test_what_is_in_logs_histories_and_bulk_decisions_is_a_text(
    stack: Stack, visit: Visit
) -> None:
    message = f"{MARKUP} \u202e {LONG}"
    made = []
    for number in range(2):
        stack.jira.fault("status", status=503, message=message)
        made.append(dns(stack, f"hostile-{number}.example.com"))
    stack.caller(DANA).post(f"/requests/{made[0]['id']}/retry", json={"reason": message})
    page = await (await visit(PRIYA)).page("/")
    request = f"/requests/{made[0]['id']}"
    for path in (f"{request}/log", f"{request}/log?q=onerror", f"{request}/history", request):
        await page.goto(path)
        await expect(page.get_by_text("onerror=alert(1)").first).to_be_attached()
        await harmless(page)
    await page.goto("/waiting/retry?type=jira-ticket")
    await page.get_by_label("Reason").fill(message)
    await page.get_by_role("button", name="Retry selected").click()
    await page.wait_for_url("**/waiting/retries/*")
    await expect(page.get_by_text("onerror=alert(1)").first).to_be_visible()
    await harmless(page)


@contextlib.contextmanager
def offered(stack: Stack) -> Iterator[None]:
    """Offer the hostile item while the block runs."""
    file = stack.catalog / "web" / "web-hostile.yaml"
    file.write_text(json.dumps(hostile_item()))
    try:
        stack.caller(ADA).post("/catalog/refresh")
        # On a slow machine reading goes on after the answer.
        wait_until(lambda: stack.caller(ADA).get("/catalog/items/web-hostile").is_success)
        yield
    finally:
        file.unlink()
        stack.caller(ADA).post("/catalog/refresh")


async def plain(page: Page) -> None:
    """Fail if a text became an element or a link that runs, or makes the page too wide.

    What axe judges does not depend on what texts say.
    """
    found = ":is(main, dialog) :is(img, script, a[href^=javascript])"
    assert await page.locator(found).count() == 0
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await picture(page, f"hostile-{width}")
        assert not await page.evaluate(WIDER), (page.url, width)


async def test_what_the_catalog_says_is_a_text_on_every_page(stack: Stack, visit: Visit) -> None:
    at = await visit(ADA)
    with offered(stack):
        page = await at.page("/catalog/web-hostile/request")
        await plain(page)
        await page.get_by_label("Word").fill("hostile")
        await page.get_by_role("button", name="Review").last.click()
        await expect(page.get_by_role("button", name="Submit request")).to_be_visible()
        await plain(page)
        stack.jira.fault("status", status=503, message="away")
        made = wait_until_failed(stack, submit(stack, "web-hostile", word="hostile"))
        stack.jira.clear_faults()
        request = f"/requests/{made['id']}"
        paths = (
            "/",
            "/catalog",
            "/catalog?q=hostile",
            "/catalog/web-hostile",
            "/find?q=hostile",
            request,
            f"{request}/decide",
            f"{request}/abort",
            f"{request}/history",
            "/requests",
            "/requests?item=web-hostile",
            "/waiting",
            "/waiting/retry?type=jira-ticket",
            "/insights",
            "/platform/preview?item=web-hostile",
        )
        for path in paths:
            await page.goto(path)
            await plain(page)
        # What is fetched into a page is no different.
        await page.get_by_role("button", name="Preview", exact=True).click()
        await expect(page).to_have_title("Preview of a document - PAO")
        await page.get_by_label("Word").fill(MARKUP)
        await page.get_by_role("button", name="Preview with these values").click()
        await expect(page.get_by_role("region", name="What would be sent")).to_contain_text(MARKUP)
        await plain(page)
        await page.goto("/catalog")
        await page.get_by_role("searchbox").press_sequentially("hostile")
        await expect(page.locator("#results .rows > li")).to_have_count(1)
        await plain(page)
        await page.keyboard.press("Control+k")
        await page.keyboard.type("hostile")
        found = page.get_by_role("dialog").get_by_role("link", name="Hostile")
        await expect(found.first).to_be_visible()
        await plain(page)


SAID = """
    INSERT INTO request_events (request_id, run_id, seq, kind, at, data)
    SELECT $1, 'said', 1, 'log', now(), jsonb_build_object('level', 'error', 'actionId', 'approval',
        'attempt', 1, 'data', '{}'::jsonb, 'message', $2::text)
"""


async def test_what_comes_while_a_page_is_open_is_a_text(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    text = f"{MARKUP} \u202e {LONG}"
    inventory.offers(text)
    page = await (await visit()).page("/catalog/web-rows/request")
    await page.get_by_label("Environment").select_option("test")
    cluster = page.get_by_label("Cluster", exact=True)
    await expect(cluster.locator("option").last).to_contain_text("ONERROR=ALERT(1)")
    await plain(page)
    request_id = submit_for_approval(stack)
    await page.goto(f"/requests/{request_id}")
    await is_live(page)
    stack.rows(SAID, request_id, text)
    stack.rows("SELECT pg_notify('pao_requests', $1)", request_id)
    await expect(page.locator(".log-lines li", has_text="onerror")).to_have_count(1)
    body = {"actionId": "approval", "reason": text}
    assert stack.caller(PRIYA).post(f"/requests/{request_id}/reject", json=body).is_success
    await expect(page.locator("#now")).to_contain_text("onerror=alert(1)")
    await expect(page).to_have_title(re.compile("^Failed: "))
    await plain(page)


async def test_what_admins_read_is_a_text(stack: Stack, visit: Visit) -> None:
    caller = stack.caller(ADA)
    key = caller.post("/keys", json={"user": "hostile", "note": f"{MARKUP} {LONG}"[:200]}).json()
    caller.delete(f"/keys/{key['accessKeyId']}")
    stack.jira.fault("status", status=400, message="No")
    failed = wait_until_failed(stack, dns(stack, "audited-too.example.com"))
    reason = f"{MARKUP} \u202e {LONG}"
    stack.caller(DANA).post(f"/requests/{failed['id']}/abort", json={"reason": reason})
    page = await (await visit(ADA)).page("/admin")
    for path in ("/admin/audit", "/admin/keys?user=hostile"):
        await page.goto(path)
        await expect(page.get_by_text("<img src=x").first).to_be_visible()
        await plain(page)
