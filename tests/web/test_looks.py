"""How pages look to others: on paper, in forced colours, without motion, in longer languages."""

from playwright.async_api import Page, expect

from tests.support.stack import Stack
from tests.web.person import HEIGHT, Visit, picture
from tests.web.requesting import dns

# As a language with longer words would be: every text is half as long again, with accents.
LONGER = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    const text = node.data.trim();
    if (!text || node.parentElement.closest("script, style")) continue;
    const accented = node.data.replaceAll("e", "ė").replaceAll("a", "ä");
    node.data = `${accented} ${"õ".repeat(text.length / 2)}`;
  }
  for (const one of document.querySelectorAll("[placeholder]")) one.placeholder += " õõõõõõõõõõ";
}"""
WIDER = "document.scrollingElement.scrollWidth > window.innerWidth"


async def test_longer_words_break_no_page(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "longer.example.com")
    page = await (await visit()).page("/")
    paths = (
        "/",
        "/catalog",
        "/catalog/network-service-onboarding",
        "/catalog/web-kitchen-sink/request",
        "/find?q=dns",
        f"/requests/{made['id']}",
        "/requests",
        "/waiting",
    )
    for path in paths:
        await page.goto(path)
        for width in (320, 1280):
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            await page.evaluate(LONGER)
            await picture(page, f"longer-{width}")
            assert not await page.evaluate(WIDER), (path, width)


async def test_paper_shows_everything_and_no_controls(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "paper.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await page.emulate_media(media="print")
    await picture(page, "print")
    await expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    await expect(page.locator(".log-lines").first).to_be_visible()
    address = "getComputedStyle(document.querySelector('main a[href^=http]'), '::after').content"
    assert made["actions"][0]["url"] in await page.evaluate(address)
    await page.goto("/catalog/network-service-onboarding")
    await picture(page, "print")
    await expect(page.get_by_text("Ask the network team for everything")).to_be_visible()


async def state_colours(page: Page) -> list[str]:
    return [
        str(one)
        for one in await page.evaluate(
            "[...document.querySelectorAll('.state')].map(e => getComputedStyle(e).color)"
        )
    ]


async def test_forced_colours_and_still_pages_lose_nothing(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "forced.example.com")
    page = await (await visit()).page(f"/requests/{made['id']}")
    await page.emulate_media(forced_colors="active", reduced_motion="reduce")
    await picture(page, "forced")
    # A state is a word and a shape, whatever becomes of its colour.
    await expect(page.locator("#now .standing")).to_contain_text("Completed")
    assert len(set(await state_colours(page))) == 1
    moving = "document.getAnimations().length"
    assert await page.evaluate(moving) == 0
    await page.goto("/catalog/web-kitchen-sink/request")
    await picture(page, "forced")
