"""Bad days: connections break, processes restart, sessions end, windows are many."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from playwright.async_api import Browser, Page, Request, Route, expect

from pao.app.local.ports import free_ports
from pao.app.local.postgres import SERVICE, PostgresAddress
from tests.support.callers import DANA, PRIYA
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack
from tests.web.connections import BROKEN, is_live
from tests.web.person import At, Visit, judge
from tests.web.requesting import dns, final, submit_for_approval, wait_until_failed
from tests.web.watched import Watched

PATIENT = 40_000
COMPLETED = re.compile("^Completed: ")
HIDDEN = 'Object.defineProperty(document, "hidden", { get: () => !globalThis.shown });'
SHOW = "() => { globalThis.shown = true; document.dispatchEvent(new Event('visibilitychange')); }"
END_SESSIONS = f"""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE usename = '{SERVICE}' AND datname = current_database()
"""  # noqa: S608 -- our own name


def approve(stack: Stack, request_id: str) -> None:
    body = {"actionId": "approval", "reason": "fine"}
    answer = stack.caller(PRIYA).post(f"/requests/{request_id}/approve", json=body)
    assert answer.is_success, answer.text


def streams(page: Page) -> list[str]:
    """Return the addresses of the streams that a page begins from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if "/stream" in request.url:
            found.append(request.url)

    page.on("request", note)
    return found


@contextlib.asynccontextmanager
async def watching(stack: Stack, at: At) -> AsyncIterator[tuple[Page, str]]:
    """Open the page of a request that waits; in the end it is approved, and completed."""
    at.watched.expected += BROKEN
    request_id = submit_for_approval(stack)
    page = await at.page(f"/requests/{request_id}")
    await is_live(page)
    yield page, request_id
    await expect(page).to_have_title(COMPLETED, timeout=PATIENT)


async def test_a_lost_connection_is_said_until_it_is_back(stack: Stack, visit: Visit) -> None:
    at = await visit()
    async with watching(stack, at) as (page, request_id):
        form = await at.page("/catalog/network-dns-record/request")
        await form.get_by_label("Host name").fill("kept-offline.example.com")
        lost = page.get_by_text("Connection lost at")
        await at.context.set_offline(True)
        await expect(lost).to_be_visible(timeout=PATIENT)
        await form.get_by_label("Host name").blur()
        await form.get_by_role("button", name="Review").last.click()
        said = form.get_by_text("You are offline, so nothing was sent.", exact=False)
        await expect(said.first).to_be_visible()
        await expect(form.get_by_label("Host name")).to_have_value("kept-offline.example.com")
        await at.context.set_offline(False)
        await expect(lost).to_be_hidden(timeout=PATIENT)
        await form.get_by_label("Address").fill("10.0.0.7")
        await form.get_by_role("button", name="Review").last.click()
        await expect(form.get_by_text("kept-offline.example.com").first).to_be_visible()
        await form.wait_for_load_state()
        await at.context.set_offline(True)
        await form.get_by_role("button", name="Submit request").click()
        await expect(form.locator(".doubt")).to_contain_text(
            "We do not know whether it was received."
        )
        await at.context.set_offline(False)
        await form.get_by_role("button", name="Check").click()
        missing = form.get_by_text("It was not received, and nothing was stored.")
        await expect(missing).to_be_visible()
        await form.get_by_role("button", name="Submit request").click()
        await expect(form).to_have_title(re.compile("kept-offline.example.com"))
        approve(stack, request_id)


@pytest.mark.parametrize("answer", ["saved", "lost"])
async def test_a_form_is_kept_while_the_session_at_the_balancer_is_over(
    visit: Visit, answer: str
) -> None:
    at = await visit()
    at.watched.expected.append("ERR_")
    page = await at.page("/catalog/network-dns-record/request")
    await page.get_by_label("Host name").fill("balanced.example.com")
    noted, told = page.locator(".noted"), asyncio.Event()

    async def lead_away(route: Route) -> None:
        await route.fulfill(status=302, headers={"Location": "https://login.example.com/"})

    async def save_late(route: Route) -> None:
        await told.wait()
        await (route.continue_() if answer == "saved" else route.abort())

    await page.route(re.compile("favicon|icon"), lead_away)
    await page.route(re.compile("/check$"), save_late)
    await page.get_by_role("button", name="Review").last.click()
    why = "Your session has expired, so nothing was sent."
    await expect(noted).to_contain_text(why)
    # Saving began before, and says nothing about what was to be sent.
    ended = "requestfinished" if answer == "saved" else "requestfailed"
    async with page.expect_event(ended, lambda request: request.url.endswith("/check")):
        told.set()
    if answer == "saved":
        await expect(page).to_have_url(re.compile("/drafts/"))
    await page.evaluate("new Promise(done => setTimeout(done))")
    await expect(noted).to_contain_text(why)
    await expect(page.get_by_label("Host name")).to_have_value("balanced.example.com")


async def test_a_page_survives_a_restart_of_the_api(stack: Stack, visit: Visit) -> None:
    at = await visit()
    async with watching(stack, at) as (page, request_id):
        lost = page.get_by_text("Connection lost at")
        form = await at.page("/catalog/network-dns-record/request")
        await form.get_by_label("Host name").fill("unreachable.example.com")
        stack.stop_api()
        await expect(lost).to_be_visible(timeout=PATIENT)
        await judge(page, wide=False)
        # The network is there, PAO is not: the form is not given away to an error of the browser.
        await form.get_by_label("Address").fill("10.0.0.7")
        await form.get_by_label("Address").blur()
        await expect(form.locator(".noted")).to_contain_text("could not be saved")
        await form.get_by_role("button", name="Review").last.click()
        await expect(form.locator(".noted")).to_contain_text("PAO cannot be reached")
        await expect(form.get_by_label("Host name")).to_have_value("unreachable.example.com")
        await judge(form, wide=False)
        stack.start_api()
        await expect(lost).to_be_hidden(timeout=PATIENT)
        await form.get_by_role("button", name="Review").last.click()
        await expect(form).to_have_title("Review DNS Record - PAO")
        await expect(form.get_by_text("unreachable.example.com").first).to_be_visible()
        approve(stack, request_id)


async def test_a_connection_that_is_only_silent_is_lost_as_well(stack: Stack, visit: Visit) -> None:
    stack.stop_api()
    stack.start_api(PAO_STREAM_HEARTBEAT="1h")
    try:
        at, request_id = await visit(), submit_for_approval(stack)
        page = await at.page("about:blank")
        begun = streams(page)
        # As if three heartbeats were missing at once.
        await page.route(f"**/requests/{request_id}", impatient)
        await page.goto(f"/requests/{request_id}")
        await expect(page.get_by_text("Connection lost at")).to_be_visible()
        while len(begun) < 2:
            await page.wait_for_timeout(50)
        approve(stack, request_id)
        await expect(page).to_have_title(COMPLETED, timeout=PATIENT)
    finally:
        stack.stop_api()
        stack.start_api()


async def impatient(route: Route) -> None:
    """Give a page that waits for heartbeats as short as it can."""
    answer = await route.fetch()
    text = re.sub(r'data-silence="\d+"', 'data-silence="3000"', await answer.text())
    await route.fulfill(response=answer, body=text)


async def test_a_stream_whose_time_is_over_is_begun_again(stack: Stack, visit: Visit) -> None:
    stack.stop_api()
    stack.start_api(PAO_STREAM_LIFETIME="1s")
    try:
        at, request_id = await visit(), submit_for_approval(stack)
        page = await at.page("about:blank")
        begun = streams(page)
        await page.goto(f"/requests/{request_id}")
        while len(begun) < 3:
            await page.wait_for_timeout(50)
        # It is no fault: nothing is said of it, and the console has no errors.
        await expect(page.get_by_text("Connection lost at")).to_be_hidden()
        await page.close()
        approve(stack, request_id)
    finally:
        stack.stop_api()
        stack.start_api()


async def test_a_first_connection_that_fails_is_tried_again(stack: Stack, visit: Visit) -> None:
    at = await visit()
    at.watched.expected += BROKEN
    request_id, failed = submit_for_approval(stack), list[str]()
    page = await at.page("/requests")

    async def fail_once(route: Route) -> None:
        if failed:
            await route.continue_()
        else:
            failed.append(route.request.url)
            await route.abort("connectionrefused")

    await page.route("**/stream?*", fail_once)
    await page.goto(f"/requests/{request_id}")
    await expect(page.get_by_text("Connection lost at")).to_be_visible()
    await is_live(page)
    await expect(page.get_by_text("Connection lost at")).to_be_hidden()
    approve(stack, request_id)
    await expect(page).to_have_title(COMPLETED, timeout=PATIENT)


async def test_seven_windows_leave_the_site_usable(stack: Stack, visit: Visit) -> None:
    at = await visit()
    request_id = submit_for_approval(stack)
    pages = []
    for _ in range(7):
        page = await at.context.new_page()
        pages.append((page, streams(page)))
        await page.goto(f"/requests/{request_id}")
    # Six would take all connections that a browser has for a site.
    for page, begun in pages[:4]:
        await is_live(page)
        assert len(begun) == 1
    assert [begun for _, begun in pages[4:]] == [[], [], []]
    other = await at.page("/catalog")
    await expect(other).to_have_title("Catalog - PAO")
    approve(stack, request_id)
    for page, _ in pages:
        await expect(page).to_have_title(COMPLETED, timeout=PATIENT)


async def test_ten_tabs_begin_when_they_are_looked_at(stack: Stack, visit: Visit) -> None:
    at = await visit()
    await at.context.add_init_script(HIDDEN)
    request_id = submit_for_approval(stack)
    tabs = []
    for _ in range(10):
        page = await at.context.new_page()
        tabs.append((page, streams(page)))
        await page.goto(f"/requests/{request_id}", wait_until="networkidle")
    assert [begun for _, begun in tabs if begun] == []
    page, begun = tabs[6]
    await page.evaluate(SHOW)
    await is_live(page)
    assert len(begun) == 1
    approve(stack, request_id)
    await expect(page).to_have_title(COMPLETED, timeout=PATIENT)


async def test_a_form_outlives_its_session(stack: Stack, visit: Visit) -> None:
    at = await visit()
    at.watched.expected.append("401")
    page = await at.page("/catalog/network-dns-record/request")
    await page.get_by_label("Host name").fill("kept.example.com")
    await page.get_by_label("Host name").blur()
    await page.wait_for_url("**/drafts/*/0")
    address = page.url
    newest = stack.caller(DANA).get("/web-sessions").json()["data"][0]
    stack.caller(DANA).delete(f"/web-sessions/{newest['id']}")
    # What no draft has yet stays as well: one signs in beside it.
    await page.get_by_label("Address").fill("10.0.0.7")
    await page.get_by_label("Address").blur()
    await expect(page.locator(".noted")).to_contain_text("Your session has expired")
    await judge(page, wide=False)
    async with at.context.expect_page() as opened:
        await page.get_by_role("link", name="Sign in (new window)").click()
    other = await opened.value
    link = stack.caller(DANA).post("/web-sign-ins").json()["url"]
    await other.get_by_label("Code").fill(link)
    await other.get_by_role("button", name="Continue").click()
    await other.get_by_role("button", name="Sign in").click()
    await expect(other).to_have_url(address)
    await expect(other.get_by_label("Host name")).to_have_value("kept.example.com")
    await page.get_by_role("button", name="Review").last.click()
    await expect(page).to_have_title("Review DNS Record - PAO")
    await expect(page.get_by_text("10.0.0.7", exact=True).first).to_be_visible()


@contextlib.contextmanager
def without_postgres(stack: Stack) -> Iterator[None]:
    """Refuse PAO its database while the block runs."""
    name = stack.database.name

    async def run(*statements: str) -> None:
        connection = await asyncpg.connect(stack.database.superuser_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    stack.run(run(f"REVOKE CONNECT ON DATABASE {name} FROM {SERVICE}", END_SESSIONS))
    try:
        yield
    finally:
        stack.run(run(f"GRANT CONNECT ON DATABASE {name} TO {SERVICE}"))


async def test_without_postgres_nothing_is_lost(stack: Stack, visit: Visit) -> None:
    at = await visit()
    at.watched.expected += BROKEN
    stack.jira.fault(kind="status", status=400, message="Priority is gone")
    failed = wait_until_failed(stack, dns(stack, "undecided.example.com"))
    stack.jira.clear_faults()
    decision = await at.page(f"/requests/{failed['id']}/decide")
    await decision.get_by_label("Host name").fill("decided.example.com")
    await decision.get_by_label("Reason").fill("The name was wrong.")
    page = await at.page("/catalog/network-dns-record/request")
    await page.get_by_label("Host name").fill("patient.example.com")
    with without_postgres(stack):
        other = await at.page("/catalog")
        await expect(other).to_have_title("PAO is temporarily unavailable - PAO")
        await expect(other.get_by_text("Try again")).to_have_count(1)
        await judge(other, wide=False)
        # Early checks say that nothing is saved; what was typed stays.
        await page.get_by_label("Address").fill("10.0.0.7")
        await page.get_by_label("Address").blur()
        await expect(page.locator(".noted")).to_contain_text("could not be saved")
        await expect(page.get_by_label("Host name")).to_have_value("patient.example.com")
        # What cannot be saved is given back, to be sent again.
        await page.get_by_role("button", name="Review").last.click()
        await expect(page).to_have_title("PAO is temporarily unavailable - PAO")
        await expect(page.get_by_text("patient.example.com", exact=True)).to_be_visible()
        await judge(page, wide=False)
        # A decision's page stays as it is, passwords and files too.
        await decision.locator("#retry").click()
        await expect(decision.locator(".doubt")).to_contain_text("PAO is temporarily unavailable")
        await expect(decision.get_by_label("Host name")).to_have_value("decided.example.com")
        await judge(decision, wide=False)
    await page.get_by_role("button", name="Send again").click()
    await expect(page).to_have_title("Review DNS Record - PAO", timeout=PATIENT)
    await expect(page.get_by_text("patient.example.com", exact=True).first).to_be_visible()
    await decision.locator("#retry").click()
    await expect(decision).to_have_title(COMPLETED, timeout=PATIENT)
    assert final(stack, failed["id"])["fields"]["hostName"] == "decided.example.com"


@pytest.fixture
def alone(
    postgres_address: PostgresAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A PAO whose Temporal is away: nothing listens at its address."""
    [port] = free_ports(1)
    folder = tmp_path_factory.mktemp("alone")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, f"127.0.0.1:{port}", folder, with_worker=False) as stack,
    ):
        yield stack


async def test_without_temporal_nothing_is_stored_and_all_is_kept(
    alone: Stack, chromium: Browser
) -> None:
    context = await chromium.new_context(base_url=alone.url)
    at = At(context, Watched(context), alone)
    await at.sign_in(DANA)
    page = await at.page("/catalog/network-dns-record/request")
    await page.get_by_label("Host name").fill("later.example.com")
    await page.get_by_label("Address").fill("10.0.0.7")
    await page.get_by_role("button", name="Review").last.click()
    await expect(page.get_by_role("button", name="Submit request")).to_be_visible()
    review = page.url
    await page.wait_for_load_state()
    await page.get_by_role("button", name="Submit request").click()
    await expect(page.locator(".doubt")).to_contain_text("PAO is temporarily unavailable")
    await expect(page.get_by_text("so nothing was stored.", exact=False)).to_be_visible()
    await expect(page.get_by_text("Try again")).to_have_count(1)
    await expect(page.get_by_text("Try again in 5 s.")).to_be_visible()
    assert alone.rows("select 1 from requests") == []
    await page.goto(review)
    await expect(page.get_by_text("later.example.com", exact=True).first).to_be_visible()
    await context.close()
