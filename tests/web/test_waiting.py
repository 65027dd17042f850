"""What waits: whose it is, what is new, and many retries at once."""

import re
from typing import Any

from playwright.async_api import Route, expect

from tests.support.callers import ADA, DANA, OLIVER, PRIYA
from tests.support.stack import Stack, wait_until
from tests.web.connections import BROKEN
from tests.web.person import Visit, judge
from tests.web.requesting import dns, wait_until_failed

DOWN = {"kind": "status", "status": 503, "message": "down for maintenance"}


def submit_failing(stack: Stack, *names: str, **fault: Any) -> list[dict[str, Any]]:
    """Submit requests while JIRA has a fault."""
    made = []
    for name in names:
        stack.jira.fault(**fault)
        made.append(wait_until_failed(stack, dns(stack, name)))
    stack.jira.clear_faults()
    return made


async def test_what_failed_in_an_outage_is_retried_together(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, *(f"down-{n}.example.com" for n in range(3)), **DOWN)
    at = await visit(PRIYA)
    page = await at.page("/waiting")
    outage = page.locator(".notice", has_text="failed because JIRA did not answer")
    await expect(outage).to_contain_text(re.compile(r"\d+ failed"))
    await judge(page)
    await outage.get_by_role("link", name="Retry all...").click()
    await expect(page.get_by_role("button", name="Retry selected")).to_be_visible()
    await judge(page)
    await page.get_by_role("button", name="Retry selected").click()
    await expect(page.get_by_role("alert")).to_contain_text("Enter a reason")
    # Somebody else is faster with one of them.
    answer = stack.caller(DANA).post(f"/requests/{made[0]['id']}/abort", json={"reason": "mine"})
    assert answer.status_code in {200, 202}
    await page.get_by_label("Reason").fill("JIRA is back.")
    await page.get_by_role("button", name="Retry selected").click()
    await page.wait_for_url("**/waiting/retries/*")
    rows = {one["id"]: page.locator(f"li:has(a[href='/requests/{one['id']}'])") for one in made}
    await expect(rows[made[0]["id"]]).to_contain_text("dana aborted it meanwhile.")
    await expect(page.get_by_text("the row says why")).to_be_visible()
    for one in made[1:]:
        await expect(rows[one["id"]]).to_contain_text("Retried")
        wait_until(lambda one=one: document(stack, one)["status"] == "completed")  # type: ignore[misc]
    await judge(page)
    await page.get_by_role("link", name="Check again").click()
    await expect(rows[made[1]["id"]]).to_contain_text("Completed")
    # Sent again by the browser, it decides nothing again.
    await page.go_back()
    await page.reload()
    await expect(page.get_by_role("button", name="Retry selected")).to_have_count(0)
    retries = [one for one in document(stack, made[1])["decisions"] if one["decision"] == "retry"]
    assert [(one["by"], one["reason"]) for one in retries] == [("priya", "JIRA is back.")]


def document(stack: Stack, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack.caller(DANA).get(f"/requests/{made['id']}").json()
    return found


async def test_a_bulk_decision_is_its_makers_and_each_row_needs_its_right(
    stack: Stack, visit: Visit
) -> None:
    made = submit_failing(stack, "rights-1.example.com", "rights-2.example.com", **DOWN)
    colleague = await visit(OLIVER)
    key = "4ac4c1c7-0d7c-4c0e-9a44-6a0b7d1d3a11"
    form = {"key": key, "type": "jira-ticket", "who": "", "reason": "Not mine to decide."}
    ids = [one["id"] for one in made]
    answer = await colleague.context.request.post(
        "/waiting/retry",
        form={**form, "request": ids[0]},
        headers={"Origin": stack.url},
    )
    assert "Only the submitter" in await answer.text()
    assert [document(stack, one)["status"] for one in made] == ["failed", "failed"]
    other = await visit(PRIYA)
    other.watched.expected.append("404")
    page = await other.page(f"/waiting/retries/{key}")
    await expect(page).to_have_title("Not found - PAO")


async def test_whose_requests_wait_is_chosen(stack: Stack, visit: Visit) -> None:
    (made,) = submit_failing(stack, "whose.example.com", kind="status", status=400, message="No")
    link = f"a[href='/requests/{made['id']}/decide']"
    page = await (await visit(PRIYA)).page("/waiting?who=mine")
    await expect(page.locator(link)).to_have_count(0)
    await page.get_by_role("link", name="Mine and my teams'").click()
    await expect(page.locator(link)).to_have_count(1)
    await expect(page.get_by_role("link", name="All", exact=True)).to_have_count(0)
    page = await (await visit(ADA)).page("/waiting?who=teams")
    await expect(page.locator(link)).to_have_count(0)
    await page.get_by_role("link", name="All", exact=True).click()
    await expect(page.locator(link)).to_have_count(1)


async def never(_route: Route) -> None:
    """Answer nothing."""


async def test_what_is_new_is_counted_and_moves_no_row(stack: Stack, visit: Visit) -> None:
    at = await visit(PRIYA)
    page = await at.context.new_page()
    await page.clock.install()
    await page.goto("/waiting")
    before = await page.locator(".rows").all_inner_texts()
    # Whoever cannot ask says so, once.
    at.watched.expected += BROKEN
    await page.route("**/waiting/new?*", never)
    for _ in range(4):
        await page.clock.run_for(12_000)
    lost = page.locator("main").get_by_text("Connection lost at")
    await expect(lost).to_have_count(1)
    await page.unroute("**/waiting/new?*")
    (made,) = submit_failing(stack, "new.example.com", kind="status", status=400, message="No")
    await page.clock.run_for(20_000)
    await expect(page.locator("#new")).to_contain_text("1 new, show")
    await expect(page.locator("#live")).to_have_text("1 new")
    await expect(lost).to_have_count(0)
    assert await page.locator(".rows").all_inner_texts() == before
    await page.get_by_role("link", name="show", exact=True).click()
    await expect(page.locator(f"a[href='/requests/{made['id']}/decide']")).to_be_visible()
