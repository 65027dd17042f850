"""The page of a request: what it shows, and how it keeps up to date."""

import asyncio
import json
import re

import pytest
from playwright.async_api import Route, expect

from tests.support.callers import DANA, OLIVER, PRIYA, STRANGER
from tests.support.stack import Stack
from tests.web.connections import is_live
from tests.web.person import Visit, judge, picture
from tests.web.requesting import dns, submit


async def test_a_completed_request_shows_what_it_made(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "made.example.com")
    key = made["actions"][0]["externalReference"]
    page = await (await visit()).page(f"/requests/{made['id']}")

    await expect(page).to_have_title(f"Completed: {made['title']} - PAO")
    await expect(page.get_by_role("link", name=key).first).to_have_attribute(
        "href", made["actions"][0]["url"]
    )
    await expect(page.get_by_text("To Do", exact=True)).to_be_visible()
    await expect(page.locator(".facts").nth(1)).to_contain_text("Host name")
    await page.locator(".log summary").click()
    await expect(page.locator(".log-lines")).to_contain_text("succeeded")
    await judge(page)


async def test_a_request_is_found_by_ticket_and_short_id(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "found.example.com")
    page = await (await visit()).page("/requests")
    for text in (made["actions"][0]["externalReference"], made["id"][:8], made["correlationId"]):
        await page.goto("/requests")
        await page.locator("main").get_by_label("Find").fill(text)
        await page.get_by_role("button", name="Show").click()
        await expect(page).to_have_url(f"/requests/{made['id']}")


async def test_the_list_shows_where_each_request_stands(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "listed.example.com")
    page = await (await visit()).page("/requests?who=me&status=completed")
    await expect(page).to_have_title("Requests - PAO")
    await expect(page.locator(f"a[href='/requests/{made['id']}']")).to_be_visible()
    await judge(page)
    await page.get_by_text("More filters").click()
    await page.get_by_label("Service id").fill("network-dns-record")
    await page.get_by_label("From").fill("2020-01-01")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(f"a[href='/requests/{made['id']}']")).to_be_visible()
    await expect(page.get_by_label("From")).to_have_value("2020-01-01")
    await judge(page, wide=False)
    await page.get_by_label("To", exact=True).fill("2020-01-02")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("No request matches.")).to_be_visible()
    await page.goto("/requests?who=me&item=no-such-item&cause=access&tag=x&team=y&since=never")
    await expect(page.get_by_text("No request matches.")).to_be_visible()


async def test_parallel_steps_are_drawn_and_listed(stack: Stack, visit: Visit) -> None:
    made = submit(stack, "network-service-onboarding", serviceName="drawn", public=True)
    page = await (await visit()).page(f"/requests/{made['id']}")
    await expect(page.locator("svg.diagram .box")).to_have_count(4)
    await expect(page.locator(".steps-done > li")).to_have_count(4)
    await judge(page)


async def test_a_request_of_others_does_not_exist(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "hidden.example.com")
    colleague = await visit(OLIVER)
    page = await colleague.page(f"/requests/{made['id']}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(made["title"])
    stranger = await visit(STRANGER)
    stranger.watched.expected.append("404")
    for path in (made["id"], f"{made['id']}/log?before=5", f"{made['id']}/decide"):
        page = await stranger.page(f"/requests/{path}")
        await expect(page).to_have_title("Not found - PAO")


async def test_a_running_request_follows_to_its_end(stack: Stack, visit: Visit) -> None:
    stack.stop_worker()
    try:
        made = dns(stack, "live.example.com")
        page = await (await visit()).page(f"/requests/{made['id']}")
        await expect(page).to_have_title(f"Submitted: {made['title']} - PAO")
        await judge(page)
    finally:
        stack.start_worker()
    await expect(page).to_have_title(f"Completed: {made['title']} - PAO", timeout=30_000)
    await expect(page.locator("#live")).to_contain_text("Completed")
    await expect(page.locator("#now .is-completed").first).to_be_visible()
    await expect(page.locator(".log-lines")).to_contain_text("succeeded")


@pytest.mark.parametrize("listens", [True, False])
async def test_a_page_survives_the_session_and_says_so(
    stack: Stack, visit: Visit, *, listens: bool
) -> None:
    stack.stop_worker()
    try:
        made = dns(stack, "over.example.com")
        at = await visit()
        at.watched.expected.append("401")
        at.watched.expected.append("htmx:sse:error")
        over = asyncio.Event()

        async def listen_later(route: Route) -> None:
            await over.wait()
            await route.continue_()

        if not listens:
            await at.context.route(re.compile("/stream"), listen_later)
        page = await at.page(f"/requests/{made['id']}")
        if listens:
            await is_live(page)
        newest = stack.caller(DANA).get("/web-sessions").json()["data"][0]
        stack.caller(DANA).delete(f"/web-sessions/{newest['id']}")
        over.set()
    finally:
        stack.start_worker()
    await expect(page.get_by_text("Your session has expired.")).to_be_visible(timeout=30_000)


async def test_without_scripts_the_page_is_whole(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "plain.example.com")
    at = await visit(DANA, java_script_enabled=False)
    page = await at.page(f"/requests/{made['id']}")
    await page.get_by_role("link", name="Ask JIRA now").click()
    await expect(page.get_by_text(made["actions"][0]["externalReference"])).to_be_visible()


async def test_waiting_for_people_is_told_in_the_steps(stack: Stack, visit: Visit) -> None:
    stack.jira.fault("status", status=429, message="Too many tickets")
    made = dns(stack, "waited.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await expect(page.get_by_text("Has waited for people for")).to_be_visible()
    stack.caller(PRIYA).post(f"/requests/{made['id']}/retry", json={"reason": "quota raised"})
    await expect(page).to_have_title(f"Completed: {made['title']} - PAO", timeout=30_000)
    step = page.locator(".steps-done > li")
    await expect(step).to_contain_text(re.compile(r"Waited \d+ s\. Priya retried: quota raised"))
    await expect(step).to_contain_text("attempt 2")
    await expect(step.locator(".waited")).to_have_count(1)
    await page.get_by_text("Everything that happened, in order").click()
    await expect(page.locator(".history > li")).not_to_have_count(0)
    told = await page.locator(".history > li").all_inner_texts()
    assert "dana submitted it" in told[0]
    assert [text for text in told if "priya retried" in text and "quota raised" in text]
    assert [text for text in told if "failed in attempt 1" in text and "Too many" in text]
    await judge(page)


async def test_who_asks_is_told_when_it_is_done(stack: Stack, visit: Visit) -> None:
    stack.stop_worker()
    try:
        made = dns(stack, "told.example.com")
        at = await visit()
        await at.context.add_init_script(
            "window.told = []; window.Notification = class {"
            "static permission = 'default';"
            "static async requestPermission() { return (this.permission = 'granted'); }"
            "constructor(text) { window.told.push(text); } }"
        )
        page = await at.page(f"/requests/{made['id']}")
        icon = await page.locator("link[rel=icon]").get_attribute("href")
        await page.get_by_role("button", name="Notify me when it is done").click()
        await expect(page.locator("aside").get_by_text("You will be notified.")).to_be_visible()
    finally:
        stack.start_worker()
    await expect(page).to_have_title(f"Completed: {made['title']} - PAO", timeout=30_000)
    await expect(page.locator("link[rel=icon]")).not_to_have_attribute("href", icon or "")
    assert await page.evaluate("window.told") == [f"Completed: {made['title']}"]
    # Only the question goes.
    await expect(page.get_by_role("link", name="Request again")).to_be_visible()


async def test_a_bundle_tells_why_a_component_is_held(stack: Stack, visit: Visit) -> None:
    stack.jira.fault("status", status=400, message="Not today")
    made = submit(stack, "bundle-webapp-standard", appName="held-app")
    page = await (await visit()).page(f"/requests/{made['id']}")
    held = page.get_by_text("Held until this is completed: Database (failed).")
    await expect(held).to_be_visible(timeout=30_000)
    await expect(page.locator("svg.diagram .box")).to_have_count(3)
    await judge(page)
    await page.goto(f"/requests/{made['id']}/decide")
    await expect(page.get_by_role("button", name="Retry", exact=True)).to_have_count(0)
    await page.locator(".notice").get_by_role("link", name="Database").click()
    await page.get_by_label("Reason").fill("Now it may.")
    await page.locator("#retry").click()
    # The component's own page, then the bundle's.
    await page.wait_for_url(re.compile("/requests/[0-9a-f-]{36}$"))
    await page.goto(f"/requests/{made['id']}")
    await expect(page).to_have_title(f"Completed: {made['title']} - PAO", timeout=60_000)
    await expect(page.get_by_text("Name / ").first).to_be_visible()
    await judge(page)


async def test_a_request_is_made_again_with_its_values(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "again.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await page.get_by_role("link", name="Request again").click()
    await expect(page.get_by_label("Host name")).to_have_value("again.example.com")
    await page.goto(f"/requests/{made['id']}/json")
    shown = json.loads(await page.locator("body").inner_text())
    assert shown == stack.caller(DANA).get(f"/requests/{made['id']}").json()


async def late(route: Route) -> None:
    """Let everything else of the page arrive before this.

    Nothing that could be waited for happens before it: only the fault would begin earlier. On a
    slow machine a second may hide it, but never fails the test.
    """
    await asyncio.sleep(1)
    await route.continue_()


async def test_jira_is_silent_and_what_was_known_is_shown(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "silent-jira.example.com")
    stack.jira.fault("status", status=503, match={"method": "GET"}, times=None)
    at = await visit()
    page = await at.page(f"/requests/{made['id']}")
    await expect(page.get_by_text("JIRA does not answer.")).to_be_visible()
    await judge(page)
    # Where it is PAO that does not answer, the page does not ask for ever.
    at.watched.expected += ["ERR_FAILED", "htmx:error"]
    await page.route("**/tickets", lambda route: route.abort())
    await page.route(re.compile(r"/pao\b[^/]*\.js"), late)
    await page.reload()
    await expect(page.get_by_text("This could not be loaded.")).to_be_visible()


async def test_a_request_prints_whole(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "printed.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await expect(page.locator(".log-lines")).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(page.locator(".log-lines")).to_be_visible()
    await expect(page.locator("header, main button:visible, main form:visible")).to_have_count(1)
    await expect(page.locator("header")).to_be_hidden()
    await picture(page, "print")
