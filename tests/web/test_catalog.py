"""The catalog and its items."""

import json
import shutil

from playwright.async_api import expect

from tests.support.callers import ADA, DANA
from tests.support.stack import Stack
from tests.web.connections import BROKEN
from tests.web.large import large_item
from tests.web.person import Visit, judge


async def test_the_catalog_is_searched_as_one_types(visit: Visit) -> None:
    at = await visit()
    at.watched.expected += BROKEN
    page = await at.page("/catalog")
    await expect(page).to_have_title("Catalog - PAO")
    await judge(page)
    groups = page.locator("#results .category")
    await expect(groups.first).to_have_text("Access")
    await expect(page.locator("#results .rows").first.locator("li").first).to_contain_text(
        "Access to a Restricted Repository"
    )
    await page.route("**/catalog?*", lambda route: route.abort())
    await page.get_by_role("searchbox").press_sequentially("relatio")
    # It is said that nobody answers; what was typed is searched once somebody does.
    lost = page.locator("main").get_by_text("Connection lost at")
    await expect(lost).to_be_visible()
    await judge(page, wide=False)
    await page.unroute("**/catalog?*")
    await expect(page).to_have_url("/catalog?q=relatio")
    await expect(lost).to_have_count(0)
    await page.get_by_role("searchbox").press_sequentially("nal")
    await expect(page.get_by_role("heading", name="PostgreSQL Database")).to_be_visible()
    # What is searched stands by how well it fits, and names its category.
    await expect(groups).to_have_count(0)
    await expect(page.locator("#results .rows").get_by_text("Databases")).to_be_visible()
    await expect(page.locator("#results").get_by_text("1 service", exact=True)).to_be_visible()
    await expect(page).to_have_url("/catalog?q=relational")
    await page.reload()
    await expect(page.get_by_role("searchbox")).to_have_value("relational")
    await expect(page).to_have_title("Catalog: relational - PAO")


async def test_nothing_found_says_how_to_go_on(visit: Visit) -> None:
    page = await (await visit()).page("/catalog?q=nothing<b>like this")
    await expect(page.get_by_text("No service matches 'nothing<b>like this'.")).to_be_visible()
    await judge(page)
    await page.get_by_role("link", name="Clear filters").click()
    await expect(page).to_have_url("/catalog")


async def test_filters_work_without_scripts_and_on_a_phone(visit: Visit) -> None:
    at = await visit(DANA, java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = await at.context.new_page()
    await page.goto("/catalog")
    await page.get_by_text("Filters").click()
    await page.get_by_role("link", name="Network 6", exact=True).click()
    await expect(page).to_have_url("/catalog?category=network")
    await expect(page.locator(".rows h2")).to_have_count(6)
    await page.get_by_role("searchbox").fill("dns record")
    await page.get_by_role("button", name="Search").click()
    await expect(page).to_have_url("/catalog?q=dns+record&category=network")
    await expect(page.locator(".rows h2").first).to_contain_text("DNS Record")


async def test_an_item_says_what_happens_and_who_owns_it(stack: Stack, visit: Visit) -> None:
    page = await (await visit()).page("/catalog/network-service-onboarding")
    await expect(page).to_have_title("Onboard a Service - PAO")
    await expect(page.get_by_role("listitem").filter(has_text="Request monitoring")).to_be_visible()
    await expect(page.get_by_text("team-network").first).to_be_visible()
    await judge(page)
    await page.get_by_role("link", name="Request", exact=True).click()
    await expect(page).to_have_title("Request Onboard a Service - PAO")
    onboarding = "select 1 from web_drafts where catalog_item_id = 'network-service-onboarding'"
    assert stack.rows(onboarding) == []


async def test_an_item_of_others_cannot_be_requested(visit: Visit) -> None:
    at = await visit()
    page = await at.page("/catalog/access-github-repository")
    await expect(page.get_by_text("Only team-security may request this.")).to_be_visible()
    assert await page.get_by_role("link", name="Request", exact=True).count() == 0


async def test_an_item_that_is_not_there(visit: Visit) -> None:
    at = await visit()
    at.watched.expected.append("404")
    page = await at.page("/catalog/no-such-item")
    await expect(page).to_have_title("Not found - PAO")


async def test_documentation_and_owner_stand_on_the_item_itself(visit: Visit) -> None:
    page = await (await visit()).page("/catalog/web-rows")
    prose = page.locator(".prose")
    await expect(prose.get_by_role("heading", name="What you get", level=3)).to_be_visible()
    await expect(prose.get_by_role("table")).to_be_visible()
    await expect(prose.get_by_text("<script>alert(1)</script>")).to_be_visible()
    await expect(prose.get_by_role("link")).to_have_count(1)
    owner = page.get_by_role("region", name="team-platform")
    contact = owner.get_by_role("link", name="https://chat.example.com/platform")
    await expect(contact).to_be_visible()
    await expect(owner.get_by_role("link", name="All services of team-platform")).to_be_visible()
    await judge(page)


async def test_more_than_fifty_services_have_pages(stack: Stack, visit: Visit) -> None:
    ada, folder = stack.caller(ADA), stack.catalog / "many"
    known = len(ada.get("/catalog", params={"limit": 200}).json()["data"])
    folder.mkdir()
    try:
        for number in range(52 - known):
            document = large_item(fields=1)
            document["metadata"] |= {"id": f"web-many-{number}", "name": f"Many {number}"}
            (folder / f"{number}.yaml").write_text(json.dumps(document))
        ada.post("/catalog/refresh")
        page = await (await visit()).page("/catalog")
        rows = page.locator("#results .rows > li")
        await expect(
            page.locator("#results").get_by_text("52 services", exact=True)
        ).to_be_visible()
        await expect(rows).to_have_count(50)
        await page.get_by_role("link", name="Next page").click()
        await expect(page).to_have_url("/catalog?at=2")
        await expect(rows).to_have_count(2)
        await expect(page.get_by_role("link", name="Next page")).to_have_count(0)
        await page.get_by_role("link", name="Previous page").click()
        await expect(rows).to_have_count(50)
        # An address of a page that is not there shows the last one.
        await page.goto("/catalog?at=1000")
        await expect(rows).to_have_count(2)
    finally:
        shutil.rmtree(folder)
        ada.post("/catalog/refresh")
