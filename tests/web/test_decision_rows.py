"""Lists of a failed request are corrected row by row, as its form was filled in."""

import asyncio
import socket
import threading
from typing import Any

from playwright.async_api import Route, expect

from tests.support.callers import DANA
from tests.support.inventory import Inventory
from tests.support.raw_servers import answering
from tests.support.stack import Stack, wait_until
from tests.web.person import Visit, judge
from tests.web.requesting import submit, wait_until_failed
from tests.web.test_form_rows import row

RULES = [
    {"prefix": "10.0.0.0/8", "hits": 3, "ends": False, "label": "first"},
    {
        "prefix": "10.1.0.0/16",
        "ends": True,
        "until": "2027-01-01",
        "label": "second",
        "proof": "data:text/plain;name=proof.txt;base64,aGVsbG8=",
    },
]


async def test_rows_are_corrected_row_by_row(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    inventory.offers("c-1", "c-2")
    stack.jira.fault("status", status=400, match={"method": "POST"}, message="No such network")
    values = {"environment": "test", "cluster": "c-1", "rules": RULES}
    made = wait_until_failed(stack, submit(stack, "web-rows", **values))
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await expect(page.get_by_label("Cluster", exact=True)).to_have_value("c-1")
    await expect(row(page, 2).get_by_label("Network")).to_have_value("10.1.0.0/16")
    await expect(row(page, 2).get_by_text("Kept as it is")).to_be_visible()
    await page.get_by_label("Reason").fill("The first is not needed.")
    # Enter decides nothing; untouched values are no changes.
    await row(page, 1).get_by_label("Most hits").press("Enter")
    await expect(page.get_by_text("The values stay as they are.")).to_be_visible()

    await page.get_by_role("button", name="Remove Rules 1").click()
    await expect(page.get_by_role("group", name="Rules 2")).to_have_count(0)
    await page.get_by_role("button", name="Show what a retry would do").click()
    gone = page.get_by_role("region", name="What a retry would do").locator(".removed").first
    await expect(gone).to_contain_text("Network: 10.0.0.0/8")
    await page.get_by_role("button", name="Add another to Rules").click()
    await expect(row(page, 2).get_by_label("Network")).to_be_focused()
    await row(page, 2).get_by_label("Network").fill("nonsense")
    await page.locator("#retry").click()
    await expect(page.get_by_role("alert")).to_contain_text("Network must be an address")
    await judge(page)
    await row(page, 2).get_by_label("Network").fill("10.3.0.0/16")
    await row(page, 2).get_by_label("Most hits").fill("1 000")
    await page.locator("#retry").click()
    await page.wait_for_url(f"**/requests/{made['id']}", timeout=60_000)

    def done() -> dict[str, Any] | None:
        document: dict[str, Any] = stack.caller(DANA).get(f"/requests/{made['id']}").json()
        return document if document["status"] == "completed" else None

    document = wait_until(done)
    assert document is not None
    kept, added = document["fields"]["rules"]
    assert kept == RULES[1]
    assert added == {
        "prefix": "10.3.0.0/16",
        "hits": 1000,
        "ends": False,
        "label": "test-10.3.0.0/16",
    }


async def test_nothing_is_sent_while_a_row_is_being_removed(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    inventory.offers("c-1")
    stack.jira.fault("status", status=400, match={"method": "POST"}, message="No such network")
    values = {"environment": "test", "cluster": "c-1", "rules": RULES}
    made = wait_until_failed(stack, submit(stack, "web-rows", **values))
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await page.get_by_label("Reason").fill("The first is not needed.")
    held: list[Route] = []
    arrived = asyncio.Event()

    async def hold(route: Route) -> None:
        held.append(route)
        arrived.set()

    await page.route("**/retry", hold)
    await page.get_by_role("button", name="Remove Rules 1").click()
    await arrived.wait()
    await page.locator("#retry").click()
    await held[0].continue_()
    await expect(page.get_by_role("group", name="Rules 2")).to_have_count(0)
    assert len(held) == 1
    await expect(row(page, 1).get_by_label("Network")).to_have_value("10.1.0.0/16")


async def test_choices_that_come_late_are_put_in_their_place(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    inventory.offers("c-1")
    stack.jira.fault("status", status=400, match={"method": "POST"}, message="No such network")
    values = {"environment": "test", "cluster": "c-1", "rules": RULES[:1]}
    made = wait_until_failed(stack, submit(stack, "web-rows", **values))
    answers = threading.Event()

    def late(connection: socket.socket, request: bytes) -> None:
        answers.wait(30)
        offered = b'{"items": [{"id": "c-1", "name": "C-1"}, {"id": "c-2", "name": "C-2"}]}'
        answering(offered)(connection, request)

    inventory.answer = late
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await expect(page.get_by_text("Loading choices...")).to_be_visible()
    answers.set()
    cluster = page.get_by_label("Cluster", exact=True)
    await expect(cluster.get_by_role("option", name="C-2")).to_have_count(1, timeout=30_000)
    await expect(cluster).to_have_value("c-1")
