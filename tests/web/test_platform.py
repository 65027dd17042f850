"""The pages of platform teams: the catalog's state, a refresh, the preview of a document."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.support.callers import ADA, DANA, PRIYA
from tests.support.stack import Stack
from tests.web.person import Visit, judge

CATALOG = Path("examples/catalog")
DNS = (CATALOG / "network/network-dns-record.yaml").read_text(encoding="utf-8")
REPOSITORY = (CATALOG / "access/access-github-repository.yaml").read_text(encoding="utf-8")


HOSTILE = f"<img src=x onerror=alert(1)> {'w' * 200}"
UNOWNED = {
    "file": "tools/tool-one-basic.yaml",
    "line": 8,
    "column": 10,
    "path": "$.metadata.owner.team",
    "rule": "owner-not-code-owner",
    "severity": "warning",
    "message": f"team-a is not among the owners that CODEOWNERS names: @acme/b {HOSTILE}",
    "hint": "name the team in CODEOWNERS, or correct metadata.owner.team",
}
UNTOLD = {
    "cause": "refused",
    "message": f"the App has no right to create a check run {HOSTILE}",
    "proposal": 12,
    "since": "2026-01-01T00:00:00+00:00",
    "at": "2026-01-01T00:00:00+00:00",
}


async def test_the_catalog_s_state_is_shown_and_read_again(visit: Visit) -> None:
    at = await visit(PRIYA)
    page = await at.page("/platform")
    await expect(page.get_by_text("Every file is valid.")).to_be_visible()
    await judge(page)

    await page.get_by_role("button", name="Refresh").click()
    await expect(page).to_have_title("Platform: the catalog was read - PAO")
    await expect(page.get_by_text("nothing has changed")).to_be_visible()


async def test_a_revision_that_is_held_back_is_shown_and_confirmed(
    visit: Visit, stack: Stack
) -> None:
    names = [HOSTILE, *(f"network-dns-r{at:02}" for at in range(19))]
    folder = "https://git.example.com/acme/catalog/blob/9f3c2ab1c0de/catalog"
    held = {"revision": "c0ffee12ab34567890", "removes": 22, "served": 24, "items": names}
    commit = {
        "id": "9f3c2ab1c0de",
        "subject": f"Raise {HOSTILE}",
        "author": "Dana",
        "files": folder,
    }
    stack.rows(
        "UPDATE catalog_state SET held = $1, commit = $2, error = 'the forge does not answer',"
        " error_cause = 'unavailable', error_since = now() - interval '5 minutes',"
        " notice = 'The branch main demands no review by code owners', ownership = $3,"
        " untold = $4",
        held,
        commit,
        [UNOWNED],
        {"c0ffee": UNTOLD},
    )
    stack.run(stack.services.catalog.catch_up())

    at = await visit(PRIYA)
    page = await at.page("/platform")
    await expect(page.get_by_role("heading", name="A revision is held back")).to_be_visible()
    await page.get_by_text("What it would remove").click()
    await expect(page.get_by_text("and 2 more")).to_be_visible()
    await expect(page.get_by_text("The catalog cannot be read: the forge")).to_be_visible()
    await expect(page.get_by_text(f"Raise {HOSTILE} (Dana)")).to_be_visible()
    await expect(page.get_by_text("The authors of 1 commit cannot be told")).to_be_visible()
    await expect(page.get_by_role("heading", name="Code owners")).to_be_visible()
    await expect(page.get_by_text("team-a is not among the owners")).to_be_visible()
    line = page.get_by_role("link", name="Line 8")
    await expect(line).to_have_attribute("href", f"{folder}/tools/tool-one-basic.yaml#L8")
    assert await page.locator("main img").count() == 0
    await judge(page)
    # The folder shows what is served, so nothing is held back any more.
    await page.get_by_role("button", name="Serve it and remove them").click()
    await expect(page).to_have_title("Platform: the catalog was read - PAO")
    await expect(page.get_by_text("nothing has changed")).to_be_visible()
    await expect(page.get_by_role("heading", name="A revision is held back")).to_have_count(0)


async def test_who_owns_nothing_does_not_see_it(visit: Visit) -> None:
    at = await visit(DANA)
    at.watched.expected.append("403")
    page = await at.page("/platform/preview")
    await expect(page.get_by_text("Only teams that own a catalog item")).to_be_visible()
    await expect(page.get_by_role("link", name="Platform", exact=True)).to_have_count(0)


async def test_a_valid_document_shows_its_form_calls_and_changes(visit: Visit) -> None:
    at = await visit(ADA)
    page = await at.page("/platform/preview")
    await judge(page)
    changed = DNS.replace("version: 1.1.0", "version: 1.2.0")
    assert changed != DNS
    await page.get_by_role("textbox", name="Document").fill(changed)
    await page.get_by_role("button", name="Preview", exact=True).click()
    await expect(page).to_have_title("Preview of a document - PAO")
    # The form is the one that its requesters will see, beside what it makes of their values.
    refused = page.get_by_text("With these values the request would be refused:")
    await expect(refused).to_be_visible()
    await page.get_by_label("Host name").fill("Orders!")
    await page.get_by_role("button", name="Preview with these values").click()
    await expect(page.locator(".field.wrong").first).to_contain_text("You entered 'Orders!'.")
    await page.get_by_label("Host name").fill("orders.example.com")
    await page.get_by_label("IPv4 address").fill("10.0.0.7")
    await page.get_by_role("button", name="Preview with these values").click()
    await expect(refused).to_have_count(0)

    await expect(page.get_by_role("heading", name="It would be served as it is.")).to_be_focused()
    await expect(page.locator("pre", has_text="orders.example.com").first).to_be_visible()
    diff = page.locator("pre.diff")
    await expect(diff.locator(".removed")).to_contain_text("version: 1.1.0")
    await expect(diff.locator(".added")).to_contain_text("version: 1.2.0")
    await judge(page)


async def test_an_item_in_service_can_be_picked_to_begin_with(visit: Visit) -> None:
    page = await (await visit(PRIYA)).page("/platform/preview")
    picker = page.get_by_label("Begin with an item in service")
    await picker.select_option("PostgreSQL Database")
    # Another team's documents are not offered, and not given by their address.
    assert "IAM Role" not in await picker.inner_text()
    await page.get_by_role("button", name="Show its document").click()
    document = page.get_by_role("textbox", name="Document")
    beginning = re.compile("^schemaVersion: catalog/v1\nkind: CatalogItem\nmetadata:\n")
    await expect(document).to_have_value(beginning)
    text = await document.input_value()
    await document.fill(text.replace("version: 1.2.0", "version: 1.3.0"))
    await page.get_by_role("button", name="Preview", exact=True).click()
    await expect(page.locator("pre.diff :is(.added, .removed)")).to_have_count(2)
    await judge(page)
    await page.goto("/platform/preview?item=access-aws-role")
    await expect(page.get_by_role("textbox", name="Document")).to_have_value("")


async def test_findings_point_to_their_place_and_nothing_typed_is_lost(visit: Visit) -> None:
    at = await visit(ADA)
    page = await at.page("/platform/preview")
    broken = DNS.replace("type: jira-ticket", "type: jira-tickte")
    assert broken != DNS
    await page.get_by_role("textbox", name="Document").fill(broken)
    await page.get_by_role("button", name="Preview", exact=True).click()

    await expect(page.get_by_role("heading", name="1 error keeps")).to_be_visible()
    excerpt = page.locator("pre", has_text="jira-tickte").first
    place, caret = (await excerpt.inner_text()).splitlines()
    assert place[caret.index("^") :].startswith("jira-tickte")
    await expect(page.get_by_role("textbox", name="Document")).to_have_value(broken)
    await judge(page)


async def test_hostile_text_stays_text(visit: Visit) -> None:
    at = await visit(ADA)
    page = await at.page("/platform/preview")
    hostile = "<script>alert(1)</script>: </textarea><b>x</b>\n"
    await page.get_by_role("textbox", name="Document").fill(hostile)
    await page.get_by_role("button", name="Preview", exact=True).click()
    await expect(page).to_have_title("Preview of a document - PAO")
    await expect(page.get_by_role("textbox", name="Document")).to_have_value(hostile)
    await judge(page)


async def test_another_team_s_document_is_not_shown(visit: Visit) -> None:
    at = await visit(PRIYA)
    page = await at.page("/platform/preview")
    await page.get_by_role("textbox", name="Document").fill(REPOSITORY)
    await page.get_by_role("button", name="Preview", exact=True).click()
    await expect(page).to_have_title("Preview of a document - PAO")
    await expect(page.get_by_text("Changes against version")).to_have_count(0)


async def test_a_refused_file_shows_with_its_findings(stack: Stack, visit: Visit) -> None:
    file = stack.catalog / "network" / "broken.yaml"
    file.write_text("schemaVersion: catalog/v1\nkind: CatalogItem\nmetadata: {id: <b>x</b>}\n")
    known = stack.catalog / "network" / "network-dns-record.yaml"
    known.write_text(DNS.replace("type: jira-ticket", "type: jira-tickte"))
    at = await visit(ADA)
    try:
        page = await at.page("/platform")
        await page.get_by_role("button", name="Refresh").click()
        await expect(page.get_by_role("heading", name="network/broken.yaml")).to_be_visible()
        await expect(
            page.get_by_text("The last valid version, DNS Record 1.1.0, is still served.")
        ).to_have_count(1)
        await judge(page)
    finally:
        file.unlink()
        known.write_text(DNS)
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_text("Every file is valid.")).to_be_visible()


async def test_a_refresh_of_a_source_that_is_away_says_so_on_the_page(
    stack: Stack, visit: Visit
) -> None:
    at = await visit(ADA)
    at.watched.expected.append("502")
    page = await at.page("/platform")
    away = stack.catalog.rename(stack.catalog.with_name("away"))
    try:
        await page.get_by_role("button", name="Refresh").click()
        await expect(page).to_have_title("Error: the catalog cannot be read - PAO")
        await expect(page.get_by_role("alert")).to_contain_text("The last valid one is served.")
        await judge(page)
    finally:
        away.rename(stack.catalog)
    await page.get_by_role("button", name="Refresh").click()
    await expect(page).to_have_title("Platform: the catalog was read - PAO")
