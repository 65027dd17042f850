"""Passwords in the rows of a form: kept with their row until it is sent, never shown."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import asyncpg
import httpx
from playwright.async_api import Page, expect

from tests.support.callers import DANA
from tests.support.inventory import Inventory
from tests.support.raw_servers import answering
from tests.support.stack import Stack, wait_until
from tests.web.conftest import SECRET
from tests.web.person import Visit, judge, session_of
from tests.web.requesting import final
from tests.web.test_decision_secrets import user

ACCOUNTS = "/catalog/web-accounts/request"
OTHER = "0ther-pa55word!"


async def fill(page: Page, number: int, login: str, password: str) -> None:
    await user(page, number).get_by_label("Login").fill(login)
    await user(page, number).get_by_label("First password", exact=True).fill(password)


HOLD = "SELECT 1 FROM web_drafts WHERE id = $1 FOR UPDATE"
WAITING = """
    SELECT count(*) AS sessions FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%web_drafts%'
"""


async def lock_draft(stack: Stack, draft: str) -> asyncpg.Connection:
    """Lock a draft until the connection is closed."""
    connection = await asyncpg.connect(stack.database.superuser_url)
    await connection.execute("BEGIN")
    await connection.fetch(HOLD, draft)
    return connection


def test_two_saves_at_once_lose_no_password(stack: Stack) -> None:
    name, token = session_of(stack, DANA)
    draft, marks = str(uuid4()), {"has.users": "shown", "has.users[0].login": "shown"}

    def save(number: int, **given: str) -> int:
        data = {"item": "web-accounts", "saved": str(number), **given}
        headers = {"Origin": stack.url, "Cookie": f"{name}={token}"}
        return httpx.post(
            f"{stack.url}/drafts/{draft}/check", data=data, headers=headers, timeout=60
        ).status_code

    def waits(sessions: int) -> bool:
        return stack.rows(WAITING) == [{"sessions": sessions}]

    assert save(1, **marks) == 200
    one = {"has.token": "apart", "fields.token": SECRET}
    other = {**marks, "has.users[0].initial": "apart", "fields.users[0].initial": OTHER}
    with ThreadPoolExecutor() as browsers:
        connection = stack.run(lock_draft(stack, draft))
        try:
            first = browsers.submit(save, 2, **one)
            wait_until(lambda: waits(1))
            second = browsers.submit(save, 3, **other)
            wait_until(lambda: waits(2))
        finally:
            stack.run(connection.close())
        assert (first.result(), second.result()) == (200, 200)
    [kept] = stack.rows("SELECT sealed FROM web_drafts WHERE id = $1", draft)
    assert set(kept["sealed"]) == {"token", "users[0].initial"}


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
    kept = user(page, 1).get_by_text("Already set; type to replace it.")
    await expect(kept).to_be_visible()
    await page.get_by_role("button", name="Review").last.click()
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url(re.compile(r"/requests/[0-9a-f-]{36}$"))
    assert final(stack, page.url.rpartition("/")[2])["status"] == "completed"
    sent = json.loads(inventory.server.requests[-1].partition(b"\r\n\r\n")[2])
    assert sent["users"] == [{"login": "bo", "initial": SECRET}]
    assert sent["token"] == SECRET
