"""The palette: everything that has an address, by a few letters, from every page."""

from playwright.async_api import expect

from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.web.connections import BROKEN
from tests.web.person import Visit, judge
from tests.web.requesting import dns

# Where a reader sees what the keyboard reaches: the row, and the place in it.
SEEN = """[...document.querySelectorAll('.top :is(a, summary, button)')]
  .filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect())
  .map(box => [Math.round((box.top + box.height / 2) / 30), Math.round(box.left)])"""


async def test_services_requests_tickets_and_pages_are_found_by_keyboard(
    stack: Stack, visit: Visit
) -> None:
    made = dns(stack, "palette.example.com")
    key = made["actions"][0]["externalReference"]
    at = await visit()
    at.watched.expected += BROKEN
    page = await at.page("/catalog")
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Find")
    await expect(palette.get_by_role("searchbox")).to_be_focused()
    await expect(palette.get_by_role("link", name="Waiting")).to_be_visible()
    await page.route("**/find?*", lambda route: route.abort())
    await page.keyboard.type("postgre")
    lost = palette.get_by_text("Connection lost at")
    await expect(lost).to_be_visible()
    await page.unroute("**/find?*")
    await page.keyboard.type("sql")
    await expect(palette.get_by_role("link", name="PostgreSQL Database")).to_be_visible()
    await expect(lost).to_have_count(0)
    await judge(page)
    await page.keyboard.press("Escape")
    await expect(palette).to_be_hidden()

    # A letter in a field is a letter.
    await page.get_by_role("searchbox", name="Search services").press("/")
    await expect(palette).to_be_hidden()
    await page.locator("h1").click()
    await page.keyboard.press("/")
    await page.keyboard.type(key)
    await expect(palette.get_by_role("link", name=made["title"])).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(palette.get_by_role("link", name=made["title"])).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/requests/{made['id']}")


async def test_its_keys_are_switched_off_for_good(visit: Visit) -> None:
    at = await visit()
    page = await at.page("/catalog")
    await page.get_by_role("link", name="Find").click()
    await page.get_by_label("Open with / and Ctrl K").uncheck()
    await page.get_by_role("button", name="Close").click()
    other = await at.page("/requests")
    await other.locator("h1").click()
    await other.keyboard.press("/")
    await expect(other.get_by_role("dialog", name="Find")).to_be_hidden()
    await other.get_by_role("link", name="Find").click()
    await expect(other.get_by_role("dialog", name="Find")).to_be_visible()
    await other.get_by_role("button", name="Close").click()
    # In a narrow window too all of the top is reached in the order in which it is seen.
    await other.set_viewport_size({"width": 320, "height": 900})
    await other.get_by_text("Menu").click()
    await expect(other.get_by_role("link", name="Insights")).to_be_visible()
    seen = await other.evaluate(SEEN)
    assert len(seen) > 6
    assert seen == sorted(seen)


async def test_it_is_a_page_without_scripts(visit: Visit) -> None:
    page = await (await visit(DANA, java_script_enabled=False)).page("/catalog")
    await page.get_by_role("link", name="Find").click()
    await page.get_by_role("searchbox").fill("dns record")
    await page.get_by_role("button", name="Find").click()
    await expect(page).to_have_title("Find: dns record - PAO")
    await page.get_by_role("link", name="DNS Record", exact=True).click()
    await page.wait_for_url("**/catalog/network-dns-record")
