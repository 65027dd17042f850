"""Passwords and files of a retry: its page keeps them while it is shown again, never in clear."""

import json
from typing import Any

from playwright.async_api import Page, expect

from tests.support.inventory import Inventory
from tests.support.raw_servers import answering
from tests.support.stack import Stack
from tests.web.conftest import SECRET
from tests.web.person import Visit, judge
from tests.web.requesting import final, submit, wait_until_failed

OLD = "Old-pa55word!"
USERS = [{"login": "ada", "initial": OLD}, {"login": "bo", "initial": OLD}]


async def open_failed_decision(
    stack: Stack, visit: Visit, inventory: Inventory
) -> tuple[str, Page]:
    inventory.answer = answering(b"{}", status="422 Unprocessable")
    made = wait_until_failed(stack, submit(stack, "web-accounts", token=OLD, users=USERS))
    inventory.answer = answering(b"{}")
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    return made["id"], page


def user(page: Page, number: int) -> Any:
    return page.get_by_role("group", name=f"Users {number}")


async def test_what_was_entered_survives_a_preview_and_a_row_less(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    request_id, page = await open_failed_decision(stack, visit, inventory)
    proof = {"name": "proof.txt", "mimeType": "text/plain", "buffer": b"approved"}
    await page.get_by_label("Approval").set_input_files(proof)  # type: ignore[arg-type]
    await user(page, 2).get_by_label("First password", exact=True).fill(SECRET)
    await page.get_by_role("button", name="Show what a retry would do").click()
    await expect(page.get_by_text("proof.txt (8 B)").first).to_be_visible()
    changed = page.locator(".answers div", has_text="Users").first
    await expect(changed).to_contain_text("the same rows, with other passwords or files")
    await judge(page)
    await page.get_by_role("button", name="Remove Users 1").click()
    await expect(user(page, 2)).to_have_count(0)
    await expect(user(page, 1).get_by_label("Login")).to_have_value("bo")

    await page.get_by_label("Reason").fill("Ada has left.")
    await page.locator("#retry").click()
    await page.wait_for_url(f"**/requests/{request_id}")
    assert final(stack, request_id)["status"] == "completed"
    sent = json.loads(inventory.server.requests[-1].partition(b"\r\n\r\n")[2])
    assert sent == {
        "token": OLD,
        "proof": "data:text/plain;name=proof.txt;base64,YXBwcm92ZWQ=",
        "users": [{"login": "bo", "initial": SECRET}],
    }


async def test_what_was_sealed_for_another_field_counts_as_not_entered(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    request_id, page = await open_failed_decision(stack, visit, inventory)
    await user(page, 2).get_by_label("First password", exact=True).fill(SECRET)
    await page.get_by_role("button", name="Show what a retry would do").click()
    sealed = page.locator("input[name='sealed.users[1].initial']")
    await expect(sealed).to_have_count(1)
    await sealed.evaluate("one => { one.name = 'sealed.token' }")
    await page.get_by_label("Reason").fill("Once more.")
    await page.locator("#retry").click()
    await page.wait_for_url(f"**/requests/{request_id}")
    assert final(stack, request_id)["status"] == "completed"
    sent = json.loads(inventory.server.requests[-1].partition(b"\r\n\r\n")[2])
    assert sent == {"token": OLD, "proof": None, "users": USERS}
