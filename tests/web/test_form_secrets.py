"""Passwords in the rows of a form: kept with their row until it is sent, never shown."""

import json
import re

from playwright.async_api import Page, expect

from tests.support.inventory import Inventory
from tests.support.raw_servers import answering
from tests.support.stack import Stack
from tests.web.conftest import SECRET
from tests.web.person import Visit, judge
from tests.web.requesting import final
from tests.web.test_decision_secrets import user

ACCOUNTS = "/catalog/web-accounts/request"
OTHER = "0ther-pa55word!"


async def fill(page: Page, number: int, login: str, password: str) -> None:
    await user(page, number).get_by_label("Login").fill(login)
    await user(page, number).get_by_label("First password", exact=True).fill(password)


async def test_passwords_stay_with_their_rows_and_are_shown_by_none(
    stack: Stack, visit: Visit, inventory: Inventory
) -> None:
    inventory.answer = answering(b"{}")
    page = await (await visit()).page(ACCOUNTS)
    await page.get_by_label("Admin token", exact=True).fill(SECRET)
    await fill(page, 1, "ada", OTHER)
    await page.get_by_role("button", name="Add another to Users").click()
    await expect(user(page, 2).get_by_label("Login")).to_be_focused()
    await fill(page, 2, "bo", SECRET)
    await page.get_by_role("button", name="Add another to Users").click()
    await expect(user(page, 3).get_by_label("Login")).to_be_focused()
    await fill(page, 3, "cy", "short")
    await page.get_by_role("button", name="Review").last.click()
    summary = page.get_by_role("alert")
    await expect(summary).to_contain_text("Users 3: First password must have at least 8 characters")
    await judge(page)
    await page.get_by_role("button", name="Remove Users 3").click()
    await expect(user(page, 3)).to_have_count(0)
    await page.get_by_role("button", name="Remove Users 1").click()
    await expect(user(page, 2)).to_have_count(0)
    await expect(user(page, 1).get_by_label("Login")).to_have_value("bo")
    await page.get_by_role("button", name="Review").last.click()
    await expect(page).to_have_title("Review Accounts - PAO")
    await expect(page.get_by_text("Login: bo; First password: ********")).to_be_visible()

    # Whoever goes back finds the row as it was, its password kept and not shown.
    await page.get_by_role("link", name="Back to the form").click()
    await expect(user(page, 1).get_by_label("First password", exact=True)).to_have_value("")
    kept = user(page, 1).get_by_text("Entered before; type to replace it.")
    await expect(kept).to_be_visible()
    await page.get_by_role("button", name="Review").last.click()
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url(re.compile(r"/requests/[0-9a-f-]{36}$"))
    assert final(stack, page.url.rpartition("/")[2])["status"] == "completed"
    sent = json.loads(inventory.server.requests[-1].partition(b"\r\n\r\n")[2])
    assert sent["users"] == [{"login": "bo", "initial": SECRET}]
    assert sent["token"] == SECRET
