"""What waits, and what people decide about it."""

import asyncio
import re
from typing import Any

from playwright.async_api import Route, expect

from tests.support.callers import DANA, OLIVER, PRIYA
from tests.support.stack import Stack, wait_until
from tests.web.person import Visit, judge
from tests.web.requesting import dns, final, submit, submit_for_approval, wait_until_failed


def submit_failing(stack: Stack, name: str, **fault: Any) -> dict[str, Any]:
    stack.jira.fault(**(fault or {"kind": "status", "status": 400, "message": "Priority is gone"}))
    made = wait_until_failed(stack, dns(stack, name))
    stack.jira.clear_faults()
    return made


async def test_what_waits_leads_to_its_decision(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "waits.example.com")
    page = await (await visit(PRIYA)).page("/waiting")
    await expect(page.get_by_text("dana and team-network may decide.").first).to_be_visible()
    await judge(page)
    await expect(page.locator("nav .count")).to_have_text(re.compile("[1-9]"))
    await page.locator(f"a[href='/requests/{made['id']}/decide']").click()
    await expect(page).to_have_title(f"Decide about {made['title']} - PAO")
    await expect(page.get_by_text("Priority is gone").first).to_be_visible()
    await expect(page.get_by_text("JIRA refused the values.")).to_be_visible()
    await expect(page.get_by_text("A retry with the same values would fail again")).to_be_visible()
    await expect(page.locator("#look")).to_contain_text("JIRA has nothing for it (")
    await expect(page.locator("#retry")).to_have_text("Retry and create a ticket")
    await judge(page)


async def test_a_value_is_corrected_and_retried(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "wrong.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await page.get_by_role("link", name="Decide").click()
    await page.get_by_label("Host name").fill("right.example.com")
    await page.locator("#retry").click()
    await expect(page.get_by_role("alert")).to_contain_text("Enter a reason")
    await expect(page.get_by_label("Host name")).to_have_value("right.example.com")
    await judge(page)
    await page.get_by_role("button", name="Show what a retry would do").click()
    changed = page.locator(".answers div", has_text="Host name")
    await expect(changed.locator("del")).to_have_text("wrong.example.com")
    await expect(changed.locator("ins")).to_have_text("right.example.com")
    await expect(page.locator(".calls ins").first).to_contain_text("right.example.com")
    await judge(page)
    await page.get_by_label("Reason").fill("The name was wrong.")
    await page.locator("#retry").click()
    await expect(page).to_have_url(f"/requests/{made['id']}")
    done = final(stack, made["id"])
    assert done["status"] == "completed"
    assert done["fields"]["hostName"] == "right.example.com"
    assert done["decisions"][-1]["reason"] == "The name was wrong."


async def test_a_retry_adopts_what_exists(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "adopted.example.com", kind="cut-after")
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    found = page.get_by_text("Retry adopts it and creates nothing.")
    await expect(found).to_be_visible()
    await judge(page)
    retry = page.get_by_role("button", name="Retry and adopt NET-")
    await expect(retry).to_have_class("primary")
    # The values were not the problem: they stand aside, and can be changed all the same.
    await expect(page.get_by_label("Host name")).to_be_hidden()
    await page.get_by_text("Change values first").click()
    await expect(page.get_by_label("Host name")).to_have_value("adopted.example.com")
    await judge(page, wide=False)
    await page.get_by_label("Reason").fill("It exists.")
    await retry.click()
    await page.wait_for_url(f"**/requests/{made['id']}")
    await expect(page.get_by_text("Adopted", exact=True)).to_be_visible()


async def test_an_abort_says_what_is_left_and_asks_why(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "aborted.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await page.get_by_role("link", name="Abort, nothing to clean up...").click()
    await expect(page.get_by_role("button", name="Abort")).to_be_visible()
    await judge(page)
    await page.get_by_role("button", name="Abort").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_label("Reason").fill("Not needed.")
    await page.get_by_role("button", name="Abort").click()
    await expect(page).to_have_title(f"Aborted: {made['title']} - PAO", timeout=30_000)


async def test_an_escalation_names_its_ticket(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "escalated.example.com")
    page = await (await visit(PRIYA)).page(f"/requests/{made['id']}/escalate")
    await page.get_by_label("Reason").fill("For the network team.")
    await page.get_by_role("button", name="Escalate").click()
    await expect(page).to_have_title(f"Escalated: {made['title']} - PAO", timeout=30_000)


async def test_two_deciders_are_told_of_each_other(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "both.example.com")
    at = await visit()
    at.watched.expected.append("409")
    page = await at.page(f"/requests/{made['id']}/decide")
    other = await (await visit(PRIYA)).page(f"/requests/{made['id']}/abort")
    await other.get_by_label("Reason").fill("I was faster.")
    await other.get_by_role("button", name="Abort").click()
    await expect(other).to_have_title(f"Aborted: {made['title']} - PAO", timeout=30_000)
    await page.get_by_label("Reason").fill("Once more.")
    await page.locator("#retry").click()
    said = page.get_by_role("alert")
    await expect(said).to_contain_text(
        re.compile(r"Priya aborted this .*: I was faster; it has ended.")
    )
    await expect(page.get_by_text("nothing for you to decide")).to_be_visible()
    await expect(page.locator(".kept")).to_have_text("Once more.")
    await judge(page)


async def test_an_approval_is_given(stack: Stack, visit: Visit) -> None:
    fields = {"purpose": "On call this week, as agreed.", "days": 3}
    made = submit(stack, "access-production-account", **fields)
    # Others wait as well, and the page stands still: this one has to wait by then.
    dana, address = stack.caller(DANA), f"/requests/{made['id']}"
    wait_until(lambda: dana.get(address).json().get("waitingSince"))
    page = await (await visit(PRIYA)).page("/waiting")
    await page.locator(f"a[href='/requests/{made['id']}/decide']").click()
    await expect(page.get_by_text("requests an account in production")).to_be_visible()
    facts = page.locator("section .answers")
    await expect(facts).to_contain_text("Who decidesthe platform team")
    await expect(facts).to_contain_text(re.compile("Deadline.* in .*then it is rejected"))
    await expect(facts).to_contain_text("Ask the security team for the account")
    await expect(page.locator("aside")).to_contain_text("On call this week, as agreed.")
    await judge(page)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("alert")).to_contain_text("Enter a reason")
    await page.get_by_label("Reason").fill("Fits the plan.")
    await page.get_by_role("button", name="Approve").click()
    await page.wait_for_url(f"**/requests/{made['id']}")
    done = final(stack, made["id"])
    assert done["status"] == "completed"
    assert done["fields"]["days"] == 3


async def test_a_rejection_has_a_page_and_a_reason(stack: Stack, visit: Visit) -> None:
    request_id = submit_for_approval(stack)
    page = await (await visit(PRIYA)).page(f"/requests/{request_id}/decide")
    await page.get_by_role("link", name="Reject...").click()
    await expect(page).to_have_title("Reject: to see how it is watched - PAO")
    await expect(page.get_by_text("nothing after it runs")).to_be_visible()
    await judge(page, wide=False)
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("alert")).to_contain_text("Enter a reason")
    await page.get_by_label("Reason").fill("Not this week.")
    await page.get_by_role("button", name="Reject").click()
    await page.wait_for_url(f"**/requests/{request_id}")
    [vote] = stack.caller(DANA).get(f"/requests/{request_id}").json()["decisions"]
    assert (vote["decision"], vote["reason"]) == ("reject", "Not this week.")
    # Where nothing waits any more, the page leads to what there is to decide.
    await page.goto(f"/requests/{request_id}/reject?action=approval")
    await expect(page).to_have_url(f"/requests/{request_id}/decide")


async def test_a_lost_answer_is_said_and_looked_into(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "lost.example.com")
    at = await visit()
    at.watched.expected.append("ERR_")
    page = await at.page(f"/requests/{made['id']}/decide")
    await page.get_by_label("Reason").fill("Once is enough.")
    await page.route("**/retry", lambda route: route.abort())
    await page.locator("#retry").click()
    doubt = page.locator(".doubt")
    await expect(doubt).to_be_focused()
    await expect(doubt).to_contain_text("We do not know whether it was received.")
    await judge(page)
    await doubt.get_by_role("button", name="Check").click()
    await expect(doubt).to_contain_text("It was not received, and nothing was decided.")
    await page.unroute("**/retry")

    async def arrive_unanswered(route: Route) -> None:
        await route.fetch(max_redirects=0)
        await route.abort()

    await page.route("**/retry", arrive_unanswered)
    await page.locator("#retry").click()
    await page.get_by_role("button", name="Check").click()
    await expect(doubt).to_contain_text("It was received. Dana retried this")
    await page.unroute("**/retry")
    # Sending the same form again decides nothing again.
    await page.locator("#retry").click()
    await page.wait_for_url(f"**/requests/{made['id']}")
    decisions = final(stack, made["id"])["decisions"]
    assert [one["decision"] for one in decisions] == ["retry"]


async def test_what_others_decide_is_told_while_one_writes(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "news.example.com")
    at = await visit()
    page = await at.context.new_page()
    await page.clock.install()
    await page.goto(f"/requests/{made['id']}/decide")
    await page.get_by_label("Reason").fill("Half a sen")
    # A session that ends meanwhile takes nothing away: one signs in beside the page.
    at.watched.expected.append("401")
    newest = stack.caller(DANA).get("/web-sessions").json()["data"][0]
    stack.caller(DANA).delete(f"/web-sessions/{newest['id']}")
    await page.clock.run_for(12_000)
    over = page.locator("#meanwhile + .notice")
    await expect(over).to_contain_text("Your session has expired")
    await expect(over).to_contain_text("Your input is still here")
    link = over.get_by_role("link", name="Sign in (new window)")
    await expect(link).to_have_attribute("target", "_blank")
    await at.sign_in(DANA)
    stack.caller(PRIYA).post(f"/requests/{made['id']}/retry", json={"reason": "fixed"})
    await page.clock.run_for(12_000)
    await expect(page.locator("#meanwhile")).to_contain_text("Priya retried this")
    await expect(page.get_by_label("Reason")).to_have_value("Half a sen")
    await page.reload()
    await expect(page.get_by_text("Priya retried this")).to_be_visible()
    await judge(page)


async def test_decisions_stay_usable_while_the_target_is_asked(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "silent.example.com")
    page = await (await visit()).page("/")
    await page.route("**/look", lambda _route: None)
    await page.goto(f"/requests/{made['id']}/decide", wait_until="domcontentloaded")
    await expect(page.get_by_text("Asking JIRA...")).to_be_visible()
    await page.get_by_label("Reason").fill("It is well again.")
    await page.get_by_role("button", name="Retry", exact=True).click()
    await page.wait_for_url(f"**/requests/{made['id']}")


async def test_a_target_that_does_not_answer_is_told(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "mute.example.com", kind="cut-after")
    stack.jira.fault("status", status=503, match={"method": "GET", "path": "/search$"}, times=100)
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await expect(page.locator("#look")).to_contain_text("nothing is created blindly")
    await expect(page.locator("#retry")).to_have_text("Retry anyway")
    await judge(page)


async def test_without_scripts_the_target_is_asked_by_a_button(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "quiet.example.com")
    at = await visit(DANA, java_script_enabled=False)
    page = await at.page(f"/requests/{made['id']}/decide")
    await page.get_by_role("button", name="Ask JIRA what exists").click()
    await expect(page.get_by_text("JIRA has nothing for it")).to_be_visible()
    await page.get_by_label("Reason").fill("Once more.")
    await page.get_by_role("button", name="Retry and create a ticket").click()
    await expect(page).to_have_url(f"/requests/{made['id']}")


async def test_two_tabs_that_decide_at_once_give_one_decision(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "tabs.example.com")
    at = await visit()
    at.watched.expected.append("409")
    tabs = [await at.page(f"/requests/{made['id']}/decide") for _ in range(2)]
    for number, tab in enumerate(tabs):
        await tab.get_by_label("Reason").fill(f"tab {number}")
    await asyncio.gather(*(tab.locator("#retry").click() for tab in tabs))
    for tab in tabs:
        await expect(tab.locator("[role=alert], #now").first).to_be_visible()
    done = final(stack, made["id"])
    assert [one["accepted"] for one in done["decisions"] if one["accepted"]] == [True]
    arrived, late = sorted(tabs, key=lambda tab: tab.url.endswith("/decide"))
    await expect(arrived).to_have_url(f"/requests/{made['id']}")
    await expect(late.get_by_role("alert")).to_contain_text("Dana retried this")
    await expect(late.locator(".kept")).to_contain_text("tab ")


async def test_a_double_click_decides_once(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "double.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}/decide")
    await page.get_by_label("Reason").fill("Twice is as good as once.")
    await page.locator("#retry").dblclick()
    await page.wait_for_url(f"**/requests/{made['id']}")
    assert len(final(stack, made["id"])["decisions"]) == 1


async def test_the_decision_is_not_offered_to_who_may_only_see(stack: Stack, visit: Visit) -> None:
    made = submit_failing(stack, "onlooker.example.com")
    page = await (await visit(OLIVER)).page(f"/requests/{made['id']}/decide")
    await expect(page.get_by_text("nothing for you to decide")).to_be_visible()
    await expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    await judge(page)
