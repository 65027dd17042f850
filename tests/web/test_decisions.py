"""What waits, and what people decide about it."""

import re
from typing import Any

from playwright.async_api import expect

from tests.support.callers import DANA, PRIYA
from tests.support.stack import Stack, wait_until
from tests.web.person import Visit, judge
from tests.web.requesting import dns, submit


def failed(stack: Stack, name: str, **fault: Any) -> dict[str, Any]:
    stack.jira.fault(**(fault or {"kind": "status", "status": 400, "message": "Priority is gone"}))
    made = dns(stack, name)
    assert made["status"] == "failed"
    stack.jira.clear_faults()
    return made


async def test_what_waits_leads_to_its_decision(stack: Stack, visit: Visit) -> None:
    made = failed(stack, "waits.example.com")
    page = await (await visit(PRIYA)).page("/waiting")
    await judge(page)
    await expect(page.locator("nav .count")).to_have_text(re.compile("[1-9]"))
    await page.locator(f"a[href='/requests/{made['id']}/decide']").click()
    await expect(page).to_have_title(f"Decide about {made['title']} - PAO")
    await expect(page.get_by_text("Priority is gone").first).to_be_visible()
    await expect(page.get_by_text("The target holds nothing for this request.")).to_be_visible()
    await judge(page)


async def test_a_value_is_corrected_and_retried(stack: Stack, visit: Visit) -> None:
    made = failed(stack, "wrong.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await page.get_by_role("link", name="Decide").click()
    await page.get_by_label("Host name").fill("right.example.com")
    await page.get_by_role("button", name="Retry", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Give a reason")
    await expect(page.get_by_label("Host name")).to_have_value("right.example.com")
    await judge(page)
    await page.get_by_role("button", name="Show what a retry would do").click()
    await expect(page.locator("ins")).to_contain_text("right.example.com")
    await judge(page)
    await page.get_by_label("Reason").fill("The name was wrong.")
    await page.get_by_role("button", name="Retry", exact=True).click()
    await expect(page).to_have_url(f"/requests/{made['id']}")
    done = final(stack, made["id"])
    assert done["status"] == "completed"
    assert done["fields"]["hostName"] == "right.example.com"
    assert done["decisions"][-1]["reason"] == "The name was wrong."


def final(stack: Stack, request_id: str) -> dict[str, Any]:
    """Wait until a request has ended, and return it."""

    def ended() -> dict[str, Any] | None:
        document: dict[str, Any] = stack.caller(DANA).get(f"/requests/{request_id}").json()
        return document if document["status"] in {"completed", "aborted", "escalated"} else None

    found = wait_until(ended)
    assert found is not None
    return found


async def test_a_retry_adopts_what_exists(stack: Stack, visit: Visit) -> None:
    made = failed(stack, "adopted.example.com", kind="cut-after")
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    found = page.get_by_text("Retry adopts it and creates nothing.")
    await expect(found).to_be_visible()
    await judge(page)
    await page.get_by_label("Reason").fill("It exists.")
    await page.get_by_role("button", name="Retry", exact=True).click()
    await page.wait_for_url(f"**/requests/{made['id']}")
    await expect(page.get_by_text("Adopted", exact=True)).to_be_visible()


async def test_an_abort_says_what_is_left_and_asks_why(stack: Stack, visit: Visit) -> None:
    made = failed(stack, "aborted.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await page.get_by_role("link", name="Abort...").click()
    await judge(page)
    await page.get_by_role("button", name="Abort").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_label("Reason").fill("Not needed.")
    await page.get_by_role("button", name="Abort").click()
    await expect(page).to_have_title(f"Aborted: {made['title']} - PAO")


async def test_an_escalation_names_its_ticket(stack: Stack, visit: Visit) -> None:
    made = failed(stack, "escalated.example.com")
    page = await (await visit(PRIYA)).page(f"/requests/{made['id']}/escalate")
    await page.get_by_label("Reason").fill("For the network team.")
    await page.get_by_role("button", name="Escalate").click()
    await expect(page).to_have_title(f"Escalated: {made['title']} - PAO")


async def test_two_deciders_are_told_of_each_other(stack: Stack, visit: Visit) -> None:
    made = failed(stack, "both.example.com")
    at = await visit()
    at.watched.expected.append("409")
    page = await at.page(f"/requests/{made['id']}/decide")
    other = await (await visit(PRIYA)).page(f"/requests/{made['id']}/abort")
    await other.get_by_label("Reason").fill("I was faster.")
    await other.get_by_role("button", name="Abort").click()
    await expect(other).to_have_title(f"Aborted: {made['title']} - PAO")
    await page.get_by_label("Reason").fill("Once more.")
    await page.get_by_role("button", name="Retry", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("priya decided before you: abort")
    await expect(page.get_by_text("nothing for you to decide")).to_be_visible()


async def test_an_approval_is_given(stack: Stack, visit: Visit) -> None:
    fields = {"purpose": "On call this week, as agreed.", "days": 3}
    made = submit(stack, "access-production-account", **fields)
    wait_until(
        lambda: stack.caller(PRIYA).get("/requests?decidable=me&sort=waiting").json()["data"]
    )
    page = await (await visit(PRIYA)).page("/waiting")
    await page.locator(f"a[href='/requests/{made['id']}/decide']").click()
    await expect(page.get_by_text("requests an account in production")).to_be_visible()
    await expect(page.get_by_text("After it these run")).to_be_visible()
    await judge(page)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("alert")).to_contain_text("Give a reason")
    await page.get_by_label("Reason").fill("Fits the plan.")
    await page.get_by_role("button", name="Approve").click()
    await page.wait_for_url(f"**/requests/{made['id']}")
    done = final(stack, made["id"])
    assert done["status"] == "completed"
    assert done["fields"]["days"] == 3
