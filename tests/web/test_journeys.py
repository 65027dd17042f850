"""Every journey that the pages are promised for has a test; here is where to find it.

Beside the table: a person who has a keyboard and nothing else.
"""

import ast
from functools import cache
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.stack import Stack
from tests.web.person import Visit

JOURNEYS = {
    "first-request": "request_form:a_service_is_requested",
    "fix-errors": "request_form:mistakes_are_named_beside_their_fields_and_in_a_summary",
    "wizard-and-back": "request_form:a_wizard_has_pages_and_enter_goes_on",
    "back-after-review": "request_form:back_and_reload_never_show_an_error_or_lose_anything",
    "reload-review": "request_form:back_and_reload_never_show_an_error_or_lose_anything",
    "enter-in-wizard": "request_form:a_wizard_has_pages_and_enter_goes_on",
    "unticked-default-true": "request_form:what_is_emptied_and_unticked_is_what_was_meant",
    "emptied-default": "request_form:what_is_emptied_and_unticked_is_what_was_meant",
    "conditions": "request_form:a_field_appears_when_it_applies_and_is_dropped_when_it_does_not",
    "draft-survives": "request_form:a_draft_outlives_changes_of_its_service",
    "two-devices-draft": "request_form:a_draft_is_continued_elsewhere_and_by_nobody_else",
    "prefilled-link": "request_form:a_link_fills_in_and_submits_nothing",
    "double-submit": "request_form:two_tabs_and_two_clicks_give_one_request",
    "watch-to-ticket": "request:a_running_request_follows_to_its_end",
    "watch-bundle": "request:a_bundle_tells_why_a_component_is_held",
    "fix-and-retry": "decisions:a_value_is_corrected_and_retried",
    "adopt-after-unknown": "decisions:a_retry_adopts_what_exists",
    "bulk-retry": "waiting:what_failed_in_an_outage_is_retried_together",
    "two-deciders": "decisions:two_deciders_are_told_of_each_other",
    "abort-with-cleanup": "decisions:an_abort_says_what_is_left_and_asks_why",
    "escalate": "decisions:an_escalation_names_its_ticket",
    "approve": "decisions:an_approval_is_given",
    "publish-item": "platform:a_valid_document_shows_its_form_calls_and_changes",
    "find-by-correlation": "request:a_request_is_found_by_ticket_and_short_id",
    "revoke-key": "signin:revoking_the_key_ends_the_session",
    "session-ends": "bad_days:a_form_outlives_its_session",
    "session-ends-in-stream": "request:a_page_survives_the_session_and_says_so",
    "link-scanned-first": "signin:who_only_follows_a_link_uses_nothing_up",
    "cross-site-post": "signin:only_a_page_of_ours_may_change_something",
    "oidc-post-blocked": (
        "providers:a_sign_in_begins_with_a_link_because_a_form_may_not_lead_away"
    ),
    "email-not-verified": (
        "providers:an_address_that_is_not_verified_and_missing_groups_count_for_nothing"
    ),
    "same-person-two-sources": "providers:a_person_is_the_same_by_key_and_by_browser",
    "own-request-two-sources": "providers:nobody_approves_her_own_request_by_another_source",
    "connection-lost": "bad_days:a_lost_connection_is_said_until_it_is_back",
    "first-connect-fails": "bad_days:a_first_connection_that_fails_is_tried_again",
    "restart-api-while-watching": "bad_days:a_page_survives_a_restart_of_the_api",
    "seven-windows": "bad_days:seven_windows_leave_the_site_usable",
    "ten-tabs": "bad_days:ten_tabs_begin_when_they_are_looked_at",
    "first-three-minutes": "journeys:a_stranger_gets_a_database_that_was_refused_at_first",
    "no-scripts": "request_form:everything_works_without_scripts",
    "keyboard-only": "journeys:a_keyboard_is_enough",
    "hostile-text": "hostile_texts:what_a_target_says_is_a_text",
    "not-my-team": "catalog:an_item_of_others_cannot_be_requested",
}
MOST_TABS = 80
# Whether what has the focus can be seen: an outline, within the window, with nothing above it.
SEEN = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const x = box.left + Math.min(box.width / 2, 20), y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  const bare = Boolean(top) && (one.contains(top) || top.contains(one));
  return getComputedStyle(one).outlineStyle !== "none" && bare;
}"""
HEADER = """() => [...document.querySelectorAll(".top :is(a, summary, button)")]
  .map(one => one.getBoundingClientRect()).filter(box => box.width).map(box => box.left)"""
NAMED = """name => {
  const one = document.activeElement;
  const label = one.labels?.[0]?.textContent ?? one.textContent ?? "";
  return label.trim().replace(/\\s+/g, " ").startsWith(name);
}"""


@pytest.mark.parametrize("journey", JOURNEYS)
def test_every_journey_has_its_test(journey: str) -> None:
    file, _, name = JOURNEYS[journey].partition(":")
    assert f"test_{name}" in _tests_in(Path(__file__).with_name(f"test_{file}.py"))


@cache
def _tests_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(one.name for one in tree.body if isinstance(one, kinds))


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of this name has the focus, and can be seen to have it."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        assert await page.evaluate(SEEN), await page.evaluate("document.activeElement.outerHTML")
        if await page.evaluate(NAMED, name):
            return
    raise AssertionError(f"Tab does not lead to {name}")


async def test_a_keyboard_is_enough(stack: Stack, visit: Visit) -> None:
    page = await (await visit()).page("/")
    # What follows with Tab follows to the eye.
    places = await page.evaluate(HEADER)
    assert places == sorted(places)
    assert len(places) > 6
    await page.keyboard.press("Control+k")
    await page.keyboard.type("dns record")
    await expect(page.get_by_role("dialog").get_by_role("link", name="DNS Record")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/catalog/network-dns-record")
    await tab_to(page, "Skip to the content")
    await page.keyboard.press("Enter")
    await tab_to(page, "Request")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/request")
    await tab_to(page, "Host name")
    await page.keyboard.type("keyboard.example.com")
    await tab_to(page, "IPv4 address")
    await page.keyboard.type("nonsense")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("IPv4 address")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("10.0.0.7")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/review")
    await tab_to(page, "Submit request")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/requests/*")
    made = "select 1 from requests where fields->>'hostName' = 'keyboard.example.com'"
    assert len(stack.rows(made)) == 1


async def test_a_stranger_gets_a_database_that_was_refused_at_first(
    stack: Stack, visit: Visit
) -> None:
    stack.jira.fault("status", status=400, message="The name legacy-db is reserved")
    page = await (await visit()).page("/")
    await page.get_by_placeholder("What do you need?").fill("postgres")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="PostgreSQL Database").first.click()
    await page.get_by_role("link", name="Request", exact=True).click()
    await page.get_by_label("Instance name").fill("legacy-db")
    await page.get_by_label("Storage").fill("100")
    await page.get_by_role("button", name="Continue").last.click()
    await page.get_by_role("button", name="Review").last.click()
    # Without scrolling, whatever stands above it.
    await expect(page.get_by_role("button", name="Submit request")).to_be_in_viewport()
    await page.get_by_role("button", name="Submit request").click()

    # What is wrong, what helps, and where to go stand together, before everything else.
    now = page.locator("#now .notice")
    await expect(now).to_contain_text("The name legacy-db is reserved", timeout=30_000)
    await expect(now).to_contain_text("retry with corrected fields")
    await page.get_by_role("link", name="Decide: retry, escalate or abort").click()
    await page.get_by_label("Instance name").fill("orders-db")
    await page.get_by_label("Reason").fill("The name was reserved.")
    await page.locator("#retry").click()
    await expect(page).to_have_title("Completed: legacy-db - PAO", timeout=30_000)
    await expect(page.locator("#now .standing")).to_contain_text("the database team")
