"""From the form to the request: drafts, checks, review, submission."""

import json
import re
from typing import Any

from playwright.async_api import Page, expect

from tests.support.callers import ADA, DANA, OLIVER, STRANGER
from tests.support.github import GitHubSandbox
from tests.support.stack import Stack
from tests.web.conftest import SECRET
from tests.web.person import Visit, judge
from tests.web.requesting import dns

SINK = "/catalog/web-kitchen-sink/request"


async def fill_sink(page: Page, title: str) -> None:
    await page.get_by_label("Title").fill(title)
    await page.get_by_role("textbox", name="Access token").fill(SECRET)
    await page.get_by_label("Size").select_option("Small")


async def review(page: Page) -> None:
    await page.get_by_role("button", name="Review").last.click()
    # Whether PAO is there is asked before anything is sent.
    await page.wait_for_url(re.compile(r"/review$|check=1$"))


def fields_of(stack: Stack, title: str) -> dict[str, Any]:
    [row] = stack.rows("select fields from requests where fields->>'title' = $1", title)
    return dict(row["fields"])


async def test_a_service_is_requested(stack: Stack, visit: Visit) -> None:
    page = await (await visit()).page(SINK)
    await expect(page).to_have_title("Request Kitchen Sink - PAO")
    await judge(page)
    await fill_sink(page, "first-sink")
    await page.get_by_label("Count").fill("1")
    await page.get_by_label("Ratio").fill("1,5")
    await page.get_by_label("Note").fill("one\ntwo")
    await page.get_by_label("Words").fill("red\nblue")
    await page.get_by_label("Settings").fill('{"a": [1, 2]}')
    file = {"name": "a b.txt", "mimeType": "text/plain", "buffer": b"hello"}
    await page.get_by_label("Document").set_input_files(file)  # type: ignore[arg-type]
    await review(page)

    await expect(page).to_have_title("Review Kitchen Sink - PAO")
    await expect(page.get_by_text("Submitting creates 1 ticket in 1 project.")).to_be_visible()
    await expect(page.get_by_text("It costs 1,250 EUR a month.")).to_be_visible()
    await expect(page.get_by_text("Sink first-sink", exact=True)).to_be_visible()
    await expect(page.get_by_text("a b.txt (5 B)")).to_be_visible()
    await judge(page)
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url("**/requests/*")
    assert page.url == f"{stack.url}/requests/{request_of(stack, 'first-sink')}"
    found = fields_of(stack, "first-sink")
    assert found.pop("token").startswith("pao:enc:")
    assert found.pop("document").startswith("data:text/plain;name=a%20b.txt;base64,")
    found.pop("until")
    assert found == {
        "title": "first-sink",
        "note": "one\ntwo",
        "region": "eu-central-1",
        "count": 1,
        "ratio": 1.5,
        "enabled": True,
        "size": 1,
        "zones": ["a"],
        "words": ["red", "blue"],
        "settings": {"a": [1, 2]},
        "starts": "2026-01-05T09:00:00Z",
    }


async def test_a_review_shows_what_a_commit_changes(github: GitHubSandbox, visit: Visit) -> None:
    at = await visit()
    page = await at.page("/catalog/web-commits/request?fields.owner=team-payments")
    await review(page)
    lines = page.locator(".diff").first
    await expect(lines.locator(".added")).to_have_text(["+owner: team-payments"])
    await expect(lines.locator(".removed")).to_have_text(["-owner: team-shop", "-quota: 4"])
    missing = page.get_by_text("There is no such file, so this step would fail.")
    await expect(missing).to_be_visible()
    # Of a commit whose item does not say that requesters may see it, only what is new is shown.
    await expect(page.locator(".diff").last.locator(".added")).to_have_text(
        ["+owner: team-payments"]
    )
    await expect(page.locator(".diff .removed")).to_have_count(2)
    await judge(page)
    github.fault("status", status=500, times=None)
    try:
        plain = await visit(DANA, java_script_enabled=False)
        without = await plain.context.new_page()
        await without.goto(page.url)
        await without.get_by_role("link", name="Show current file contents").click()
        told = without.get_by_text("The current file contents could not be read:")
        await expect(told).to_be_visible()
        await expect(without.locator(".diff .added").first).to_have_text("+name: shop")
        await expect(without.get_by_role("button", name="Submit request")).to_be_visible()
    finally:
        github.clear_faults()


def request_of(stack: Stack, title: str) -> str:
    [row] = stack.rows("select id from requests where fields->>'title' = $1", title)
    return str(row["id"])


async def test_mistakes_are_named_beside_their_fields_and_in_a_summary(visit: Visit) -> None:
    page = await (await visit()).page(SINK)
    await page.get_by_label("Title").fill("No!")
    await page.get_by_label("Settings").fill('{"a": 1,\n oops}')
    await review(page)

    await expect(page).to_have_title("Error: Request Kitchen Sink - PAO")
    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await expect(summary.get_by_role("link")).to_have_count(4)
    await expect(summary).to_contain_text("at line 2, column 2")
    await expect(summary).to_contain_text("You entered 'No!'.")
    await judge(page)
    await summary.get_by_role("link", name="Size is required").click()
    await expect(page.get_by_label("Size")).to_be_focused()
    await expect(page.get_by_label("Title")).to_have_value("No!")
    assert await page.get_by_label("Title").get_attribute("aria-invalid") == "true"
    # The summary goes on saying what the fields say.
    links = page.locator(".problems").get_by_role("link")
    await page.get_by_label("Title").fill("Nor this")
    await expect(links.first).to_contain_text("You entered 'Nor this'.")
    await page.get_by_label("Title").fill("orders")
    await expect(links).to_have_count(3)


async def test_a_field_is_checked_when_it_is_left_and_as_typed_once_it_is_wrong(
    visit: Visit,
) -> None:
    page = await (await visit()).page(SINK)
    title, error = page.get_by_label("Title"), page.locator("#f0-error")
    await title.press_sequentially("A")
    await expect(error).to_be_hidden()
    await title.blur()
    await expect(error).to_be_visible()
    # Fields that nobody has touched yet are left alone.
    await expect(page.locator("#f4-error")).to_be_hidden()
    await title.fill("orders")
    await expect(error).to_be_hidden()


async def test_a_field_appears_when_it_applies_and_is_dropped_when_it_does_not(
    stack: Stack, visit: Visit
) -> None:
    page = await (await visit()).page(SINK)
    await fill_sink(page, "conditions")
    reason = page.get_by_label("Why so large")
    await expect(reason).to_be_hidden()
    await page.get_by_label("Size").select_option("Large")
    await reason.fill("because")
    await page.get_by_label("Size").select_option("Small")
    await expect(reason).to_be_hidden()
    await review(page)
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url("**/requests/*")
    assert "reason" not in fields_of(stack, "conditions")


async def test_what_is_emptied_and_unticked_is_what_was_meant(stack: Stack, visit: Visit) -> None:
    page = await (await visit()).page(SINK)
    await fill_sink(page, "emptied")
    await page.get_by_label("Switch it on").uncheck()
    await page.get_by_label("a", exact=True).uncheck()
    await page.get_by_label("Count").fill("")
    await expect(page.get_by_text("If left empty: 3")).to_be_visible()
    await review(page)
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url("**/requests/*")
    found = fields_of(stack, "emptied")
    assert (found["enabled"], found["zones"], found["count"]) == (False, [], 3)


async def test_back_and_reload_never_show_an_error_or_lose_anything(visit: Visit) -> None:
    page = await (await visit()).page(SINK)
    await fill_sink(page, "back-and-forth")
    await review(page)
    await expect(page).to_have_title("Review Kitchen Sink - PAO")
    await page.reload()
    await expect(page).to_have_title("Review Kitchen Sink - PAO")
    await page.go_back()
    await expect(page.get_by_label("Title")).to_have_value("back-and-forth")
    await page.go_forward()
    await expect(page).to_have_title("Review Kitchen Sink - PAO")
    await page.get_by_role("link", name="Change Title").click()
    await expect(page.get_by_label("Title")).to_be_focused()
    await expect(page.get_by_role("textbox", name="Access token")).to_have_value("")
    await expect(page.get_by_text("Already set; type to replace it.")).to_be_visible()
    await review(page)
    await expect(page).to_have_title("Review Kitchen Sink - PAO")


async def test_two_tabs_and_two_clicks_give_one_request(stack: Stack, visit: Visit) -> None:
    at = await visit()
    page = await at.page(SINK)
    await fill_sink(page, "only-once")
    await review(page)
    other = await at.page(page.url)
    submit = other.get_by_role("button", name="Submit request")
    await submit.wait_for()
    await page.get_by_role("button", name="Submit request").dblclick()
    await page.wait_for_url("**/requests/*")
    await submit.click()
    await other.wait_for_url(page.url)
    await page.go_back()
    await page.wait_for_url("**/requests/*")
    assert len(stack.rows("select 1 from requests where fields->>'title' = 'only-once'")) == 1


async def test_a_draft_is_continued_elsewhere_and_by_nobody_else(visit: Visit) -> None:
    page = await (await visit()).page(SINK)
    await fill_sink(page, "two-devices")
    await review(page)
    other_device = await visit()
    again = await other_device.page(page.url)
    await expect(again.get_by_text("two-devices", exact=True)).to_be_visible()
    stranger = await visit(OLIVER)
    stranger.watched.expected.append("404")
    refused = await stranger.page(page.url)
    await expect(refused).to_have_title("Not found - PAO")


async def test_a_link_fills_in_and_submits_nothing(stack: Stack, visit: Visit) -> None:
    before = stack.rows("select count(*) from web_drafts")
    link = (
        f"{SINK}?fields.title=linked&fields.reason=hidden&fields.zones=b&fields.zones=c&fields.enabled=false"
        "&fields.token=secret&fields.nothing=1"
    )
    page = await (await visit()).page(link)
    await expect(page.get_by_label("Title")).to_have_value("linked")
    await expect(page.get_by_text("Why so large does not apply here")).to_be_visible()
    await expect(page.get_by_label("b", exact=True)).to_be_checked()
    await expect(page.get_by_label("a", exact=True)).not_to_be_checked()
    await expect(page.get_by_label("Switch it on")).not_to_be_checked()
    await expect(page.get_by_text("Access token is not taken from a link.")).to_be_visible()
    await expect(page.get_by_text("an unknown field: nothing")).to_be_visible()
    assert stack.rows("select count(*) from web_drafts") == before


async def test_a_wizard_has_pages_and_enter_goes_on(visit: Visit) -> None:
    page = await (await visit()).page("/catalog/database-postgresql-standard/request")
    await page.get_by_label("Instance name").fill("wizard-db")
    await page.get_by_label("Storage").fill("100")
    await page.get_by_label("Environment").select_option("Production")
    await page.get_by_label("Storage").press("Enter")
    await page.wait_for_url("**/drafts/*/1")
    await expect(page.get_by_role("button", name="2 Availability")).to_have_attribute(
        "aria-current", "step"
    )
    await judge(page)
    await page.go_back()
    await expect(page.get_by_label("Instance name")).to_have_value("wizard-db")
    await page.get_by_role("button", name="2 Availability").click()
    await page.wait_for_url("**/drafts/*/1")
    await page.get_by_role("button", name="Back").click()
    await page.wait_for_url("**/drafts/*/0")
    await page.get_by_label("Instance name").fill("X")
    await page.get_by_role("button", name="Continue").last.click()
    await page.wait_for_url("**/drafts/*/0?check=1")
    await expect(page.get_by_role("alert")).to_be_focused()
    # A step counts what is wrong as long as that is so.
    await expect(page.get_by_role("button", name="1 Basic")).to_contain_text("(1 problem)")
    await page.get_by_label("Instance name").fill("wizard-db")
    await expect(page.locator(".steps .badge")).to_be_hidden()


async def test_everything_works_without_scripts(stack: Stack, visit: Visit) -> None:
    at = await visit(DANA, java_script_enabled=False)
    page = await at.page(SINK)
    await fill_sink(page, "no-scripts")
    await page.get_by_label("Size").select_option("Large")
    await review(page)
    await page.get_by_label("Why so large").fill("many rows")
    await review(page)
    await page.get_by_role("button", name="Submit request").click()
    await page.wait_for_url("**/requests/*")
    assert fields_of(stack, "no-scripts")["reason"] == "many rows"


async def test_drafts_hold_no_secret_in_clear(stack: Stack, visit: Visit) -> None:
    page = await (await visit()).page(SINK)
    await fill_sink(page, "sealed")
    await page.get_by_label("Ratio").fill("2")
    await review(page)
    await expect(page).to_have_title("Review Kitchen Sink - PAO")
    drafts = stack.rows(
        "select texts, sealed from web_drafts where texts->>'title' like '%sealed%'"
    )
    assert len(drafts) == 1
    assert SECRET not in json.dumps(drafts)


async def test_a_draft_outlives_changes_of_its_service(stack: Stack, visit: Visit) -> None:
    file = stack.catalog / "web" / "web-short-lived.yaml"
    document = (stack.catalog / "web" / "web-kitchen-sink.yaml").read_text()
    document = document.replace("web-kitchen-sink", "web-short-lived")
    at, ada = await visit(), stack.caller(ADA)
    at.watched.expected.append("410")
    file.write_text(document)
    try:
        assert ada.post("/catalog/refresh").json()["added"] == ["web-short-lived"]
        page = await at.page("/catalog/web-short-lived/request")
        await fill_sink(page, "outlives")
        await review(page)
        await expect(page).to_have_title("Review Kitchen Sink - PAO")
        # Another version may be forgotten: what it says is compared as well.
        document = document.replace("Sink {{", "Another sink {{")
        file.write_text(document)
        ada.post("/catalog/refresh")
        await page.get_by_role("button", name="Submit request").click()
        await expect(page.get_by_text("has changed since you checked your request")).to_be_visible()
        await expect(page.get_by_text("Another sink outlives").first).to_be_visible()
        file.write_text(document.replace("version: 1.0.0", "version: 1.1.0"))
        ada.post("/catalog/refresh")
        await page.reload()
        await expect(page.get_by_text("from version 1.0.0 to 1.1.0")).to_be_visible()
        await expect(page.get_by_text("outlives", exact=True)).to_be_visible()
        # What was reviewed is what is submitted: a newer version is shown first.
        file.write_text(document.replace("version: 1.0.0", "version: 1.2.0"))
        ada.post("/catalog/refresh")
        await page.get_by_role("button", name="Submit request").click()
        await expect(page.get_by_text("from version 1.0.0 to 1.2.0")).to_be_visible()
        assert stack.rows("select 1 from requests where fields->>'title' = 'outlives'") == []
    finally:
        file.unlink()
        ada.post("/catalog/refresh")
    await page.reload()
    await expect(page.get_by_text("This service is no longer offered.")).to_be_visible()
    await judge(page)


async def test_an_earlier_request_is_repeated_and_changes_are_marked(
    stack: Stack, visit: Visit
) -> None:
    made = dns(stack, "repeated.example.com")
    at = await visit()
    page = await at.page(f"/catalog/network-dns-record/request?repeat={made['id']}")
    await expect(page.get_by_label("Host name")).to_have_value("repeated.example.com")
    told = f"Filled in from an earlier request: {made['title']}."
    await expect(page.get_by_text(told)).to_be_visible()
    await page.get_by_label("Address").fill("10.0.0.99")
    await review(page)
    await expect(page.get_by_text("before: 10.0.0.7")).to_be_visible()
    await expect(page.get_by_text("Changed", exact=True)).to_have_count(1)
    await page.get_by_text("Copy as a link").click()
    await expect(page.locator("#copy-link")).to_be_visible()
    link = await page.locator("#copy-link").inner_text()
    await judge(page)
    again = await at.page(link)
    await expect(again.get_by_label("Address")).to_have_value("10.0.0.99")
    # A request of others is nothing to repeat.
    other = await visit(STRANGER)
    page = await other.page(f"/catalog/network-dns-record/request?repeat={made['id']}")
    await expect(page.get_by_label("Host name")).to_have_value("")
