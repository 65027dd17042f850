"""A person at a browser: signs in, opens pages, and judges them as a reader with any need would."""

import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, Response

from tests.support.callers import Person
from tests.support.node import node_packages
from tests.support.stack import Stack
from tests.web.watched import Watched

WIDTHS = (1280, 768, 320)
HEIGHT = 900
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Path(__file__).parent / "axe"

_OVERFLOW = "document.scrollingElement.scrollWidth - window.innerWidth"
# Which elements are wider than the page, for the message of a failure.
_WIDE = """[...document.querySelectorAll('main *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, pre'))
  .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""

# What tables break within a word, because a column has become too narrow.
_SPLIT = """[...document.querySelectorAll('table :is(th, button, time, code, .text)')].filter(e => {
  const text = e.firstChild, range = document.createRange();
  if (text?.nodeType !== Node.TEXT_NODE || text.data.trim().length > 16) return false;
  range.selectNodeContents(text);
  const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
  return lines.size > text.data.trim().split(/[\\s-]+/).length;
}).slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""


@dataclass
class At:
    """One person's browser."""

    context: BrowserContext
    watched: Watched
    stack: Stack

    async def sign_in(self, person: Person) -> None:
        """Open a session as `pao web` does, and put it into the browser.

        Not by the page: attempts to sign in are limited per address, and tests are many.
        """
        name, token = session_of(self.stack, person)
        await self.context.add_cookies([{"name": name, "value": token, "url": self.stack.url}])

    async def follow(self, link: str) -> None:
        """Follow a link to sign in, and confirm it."""
        form: dict[str, str | float | bool] = {
            "code": link.rpartition("#")[2],
            "confirmed": "yes",
            "to": "/",
        }
        answer = await self.context.request.post(
            "/signin", form=form, headers={"Origin": self.stack.url}, max_redirects=0
        )
        assert answer.status == 303, await answer.text()

    async def page(self, path: str = "/") -> Page:
        """Open a page in a tab of its own."""
        tab = await self.context.new_page()
        await tab.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
        await tab.goto(path)
        return tab

    async def answer(self, path: str) -> Response:
        """Open a page and return the answer itself."""
        tab = await self.context.new_page()
        answer = await tab.goto(path)
        assert answer is not None
        return answer


def session_of(stack: Stack, person: Person) -> tuple[str, str]:
    """Open a session; return its cookie."""
    link = stack.caller(person).post("/web-sign-ins").json()["url"]
    code, agent = link.rpartition("#")[2], "tests"
    token = stack.run(stack.services.sessions.open(code, user_agent=agent))
    assert token is not None
    return f"pao-{stack.port}", token


Visit = Callable[..., Awaitable[At]]
"""Opens a browser as a person, or as nobody."""


async def judge(page: Page, *, wide: bool = True) -> None:
    """Fail for what is inaccessible in either theme, and for a page wider than its window.

    The light theme is judged in a wide window and the dark one on a phone: no rule depends on both.
    With a folder in PAO_TEST_PICTURES, pictures of the page are put there to be looked at.
    A click waits until the next page has begun, not until it is there: judging does.
    """
    await page.wait_for_load_state()
    if wide:
        await picture(page, "light")
        assert (found := await violations(page)) == [], found
    await page.emulate_media(color_scheme="dark")
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await picture(page, f"dark-{width}")
        if await page.evaluate(_OVERFLOW) > 0:
            assert await page.evaluate(_WIDE) == [], f"wider than {width} px"
            raise AssertionError(f"wider than {width} px")
        assert (found := await page.evaluate(_SPLIT)) == [], f"broken words at {width} px: {found}"
    assert (found := await violations(page)) == [], found
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})


async def violations(page: Page) -> list[str]:
    """Return what axe finds, each with an element."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(_axe())
    # Of what passes, axe would describe every element.
    options: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": RULES},
        "resultTypes": ["violations"],
    }
    found = await page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html']}: "
        f"{one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
    ]


async def picture(page: Page, what: str) -> None:
    """Take a picture of the page, where PAO_TEST_PICTURES says where to."""
    folder = os.environ.get("PAO_TEST_PICTURES")
    if folder:
        title = re.sub(r"\W+", "-", await page.title()).strip("-")
        await page.screenshot(path=f"{folder}/{title}-{what}.png", full_page=True)


def _axe() -> str:
    modules = node_packages(AXE).modules
    return (modules / "axe-core" / "axe.min.js").read_text()
