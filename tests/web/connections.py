"""Pages whose connection comes and goes: what they say then, and when they listen again."""

import asyncio

from playwright.async_api import Page

BROKEN = ("ERR_", "htmx:sse:error", "htmx:error", "503", "fetch")
"""Parts of the messages that a broken connection leaves in the console."""

_LISTENS = "Boolean(document.querySelector('#stream')?._htmx?.sse)"
_LONGEST = 40


async def is_live(page: Page) -> None:
    """Wait until a page has its stream."""
    # The pages' policy forbids what `wait_for_function` does in them.
    async with asyncio.timeout(_LONGEST):
        while not await page.evaluate(_LISTENS):
            await page.wait_for_timeout(50)
