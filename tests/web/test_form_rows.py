"""Lists that are filled in row by row, and many choices; with scripts and without."""

import asyncio
import re
import socket
import threading
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.support.callers import DANA
from tests.support.inventory import Inventory
from tests.support.raw_servers import answering, cutting
from tests.support.stack import Stack
from tests.web.person import Visit, judge

ROWS = "/catalog/web-rows/request"


async def begin(page: Page) -> None:
    await page.get_by_label("Environment").select_option("test")
    await page.get_by_label("Cluster", exact=True).select_option("C-1")


def row(page: Page, number: int) -> Any:
    return page.get_by_role("group", name=f"Rules {number}")


async def test_rows_are_added_filled_in_and_removed(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    inventory.offers("c-1", "c-2")
    page = await (await visit()).page(ROWS)
    await begin(page)
    # A list that must have rows begins with one.
    await row(page, 1).get_by_label("Network").fill("10.0.0.0/8")
    await row(page, 1).get_by_label("Most hits").fill("1 000")
    await page.get_by_role("button", name="Add another to Rules").click()
    await expect(row(page, 2).get_by_label("Network")).to_be_focused()
    await row(page, 2).get_by_label("Network").fill("nonsense")
    await page.get_by_role("button", name="Add another to Rules").click()
    await row(page, 3).get_by_label("Network").fill("10.2.0.0/16")
    await expect(page.get_by_text("3 rows are the most.")).to_be_visible()
    until = row(page, 3).get_by_label("Until")
    await expect(until).to_be_hidden()
    await row(page, 3).get_by_label("It ends").check()
    await until.fill("2027-01-01")
    # What is wrong is said in its row, and again in the summary.
    await row(page, 2).get_by_label("Network").blur()
    await expect(row(page, 2).get_by_text("Network must be an address")).to_be_visible()
    await page.get_by_role("button", name="Review").last.click()
    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await judge(page)
    await summary.get_by_role("link", name="Rules 2: Network must be an address").click()
    await expect(row(page, 2).get_by_label("Network")).to_be_focused()

    await page.get_by_role("button", name="Remove Rules 2").click()
    await expect(page.get_by_role("button", name="Add another to Rules")).to_be_focused()
    await expect(row(page, 2).get_by_label("Network")).to_have_value("10.2.0.0/16")
    await expect(row(page, 1).get_by_label("Network")).to_have_value("10.0.0.0/8")
    await page.get_by_role("button", name="Review").last.click()
    await expect(page).to_have_title("Review Firewall Rules - PAO")
    told = "Network: 10.2.0.0/16; It ends: Yes; Until: 2027-01-01; Label: test-10.2.0.0/16"
    await expect(page.get_by_text(told)).to_be_visible()
    await judge(page)
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url("**/requests/*")
    made = stack.rows(
        "select fields from requests where catalog_item_id = 'web-rows' order by created_at"
    )[-1]
    assert made["fields"]["rules"] == [
        {"prefix": "10.0.0.0/8", "hits": 1000, "ends": False, "label": "test-10.0.0.0/8"},
        {
            "prefix": "10.2.0.0/16",
            "ends": True,
            "until": "2027-01-01",
            "label": "test-10.2.0.0/16",
        },
    ]


async def test_rows_work_without_scripts(visit: Visit, inventory: Inventory) -> None:
    inventory.offers("c-1", "c-2")
    page = await (await visit(DANA, java_script_enabled=False)).page(ROWS)
    await begin(page)
    await row(page, 1).get_by_label("Network").fill("10.0.0.0/8")
    file = {"name": "proof.txt", "mimeType": "text/plain", "buffer": b"hello"}
    await row(page, 1).get_by_label("Proof").set_input_files(file)
    await page.get_by_role("button", name="Add another to Rules").click()
    await expect(page).to_have_url(re.compile("#f5-1-0$"))
    await row(page, 2).get_by_label("Network").fill("10.2.0.0/16")
    await row(page, 2).get_by_label("Proof").set_input_files(file | {"name": "kept.txt"})
    await page.get_by_role("button", name="Remove Rules 1").click()
    # What was entered stays with its row, files as well.
    await expect(row(page, 1).get_by_label("Network")).to_have_value("10.2.0.0/16")
    await expect(row(page, 1).get_by_text("kept.txt (5 B)")).to_be_visible()
    await page.get_by_role("button", name="Review").last.click()
    await expect(page.get_by_text("Network: 10.2.0.0/16")).to_be_visible()
    await expect(page.get_by_text("Proof: kept.txt (5 B)")).to_be_visible()


async def test_a_link_fills_in_rows(visit: Visit, inventory: Inventory) -> None:
    inventory.offers("c-1")
    at = await visit()
    page = await at.page(f'{ROWS}?fields.rules=[{{"prefix":"10.9.0.0/16","hits":7}}]')
    await expect(row(page, 1).get_by_label("Network")).to_have_value("10.9.0.0/16")
    await expect(row(page, 1).get_by_label("Most hits")).to_have_value("7")
    await page.goto(f"{ROWS}?fields.rules=[7]")
    await expect(page.get_by_text("Rules is not a JSON list of rows.")).to_be_visible()


async def test_many_choices_are_searched(visit: Visit, inventory: Inventory) -> None:
    inventory.offers("c-1")
    page = await (await visit()).page(ROWS)
    region = page.get_by_label("Region", exact=True)
    search = page.get_by_label("Filter the choices of Region")
    await search.fill("r-2")
    # What is chosen stays among them.
    await expect(region.get_by_role("option")).to_have_count(12)
    await expect(page.locator("#live")).to_have_text("11 choices match.")
    await search.press("Enter")
    await region.select_option("r-20")
    await search.fill("")
    await expect(region.get_by_role("option")).to_have_count(30)
    await expect(region).to_have_value("r-20")
    await page.get_by_label("p-7", exact=True).check()
    await page.get_by_label("Filter the choices of Ports").fill("p-30")
    await expect(page.get_by_label("p-7", exact=True)).to_be_visible()
    await expect(page.get_by_label("p-8", exact=True)).to_be_hidden()
    assert await page.get_by_label("Filter the choices of Cluster").count() == 0


async def test_choices_follow_what_they_depend_on(visit: Visit, inventory: Inventory) -> None:
    inventory.offers("c-1")
    page = await (await visit()).page(ROWS)
    cluster = page.get_by_label("Cluster", exact=True)
    await expect(cluster.get_by_role("option", name="C-1")).to_have_count(1)
    inventory.offers("p-1", "p-2")
    await page.get_by_label("Environment").select_option("production")
    await expect(cluster.get_by_role("option", name="P-2")).to_have_count(1)
    await expect(cluster.get_by_role("option", name="C-1")).to_have_count(0)


async def test_descriptions_are_small_markdown(visit: Visit, inventory: Inventory) -> None:
    inventory.offers("c-1")
    page = await (await visit()).page(ROWS)
    await expect(page.locator(".hint strong")).to_have_text("one")
    await expect(page.locator(".hint li code")).to_have_text("0.0.0.0/0")
    link = page.get_by_role("link", name="the list")
    await expect(link).to_have_attribute("href", "https://wiki.example.com/regions")
    await judge(page)


async def test_choices_that_are_late_or_away_leave_the_rest_usable(
    visit: Visit, inventory: Inventory
) -> None:
    answers = threading.Event()

    def late(connection: socket.socket, request: bytes) -> None:
        answers.wait(30)
        answering(b'{"items": [{"id": "late", "name": "LATE"}]}')(connection, request)

    inventory.answer = late
    page = await (await visit()).page(ROWS)
    cluster = page.get_by_label("Cluster", exact=True)
    await expect(page.get_by_text("Loading choices...")).to_be_visible()
    await row(page, 1).get_by_label("Network").fill("10.0.0.0/8")
    answers.set()
    await expect(cluster.get_by_role("option", name="LATE")).to_have_count(1, timeout=15_000)
    await expect(row(page, 1).get_by_label("Network")).to_have_value("10.0.0.0/8")

    inventory.answer = cutting
    await page.get_by_label("Environment").select_option("production")
    await expect(page.get_by_text("The choices cannot be loaded now")).to_be_visible()
    await judge(page, wide=False)
    inventory.offers("again")
    while not await cluster.get_by_role("option", name="AGAIN").count():
        async with page.expect_navigation():
            await page.get_by_role("button", name="Reload choices").click()
    await expect(page.get_by_label("Environment")).to_have_value("production")


async def test_what_is_sent_waits_for_rows_that_are_still_being_removed(
    visit: Visit, inventory: Inventory
) -> None:
    inventory.offers("c-1")
    page = await (await visit()).page(ROWS)
    await begin(page)
    for number in (1, 2, 3):
        await row(page, number).get_by_label("Network").fill(f"10.{number}.0.0/16")
        if number < 3:
            await page.get_by_role("button", name="Add another to Rules").click()
            await expect(row(page, number + 1).get_by_label("Network")).to_be_focused()
    held: list[Route] = []
    arrived = asyncio.Event()

    async def hold(route: Route) -> None:
        body = route.request.post_data_buffer or b""
        if b"remove:0:rules" in body and not held:
            held.append(route)
            arrived.set()
        else:
            await route.continue_()

    await page.route("**/drafts/*", hold)
    await page.get_by_role("button", name="Remove Rules 1").click()
    await arrived.wait()
    # The first is still on its way; its rows are still shown.
    await page.get_by_role("button", name="Remove Rules 2").click()
    await page.get_by_role("button", name="Review").last.click()
    await held[0].continue_()
    await page.wait_for_url("**/review")
    await expect(page.get_by_text("10.3.0.0/16").first).to_be_visible()
    await expect(page.get_by_text("10.1.0.0/16")).to_have_count(0)
    await expect(page.get_by_text("10.2.0.0/16")).to_have_count(0)
