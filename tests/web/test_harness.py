"""The harness sees what it is there to see; otherwise every page would pass."""

import pytest

from tests.web.conftest import SECRET
from tests.web.leaks import Leaks
from tests.web.person import Visit, judge, violations

GOOD = "<!doctype html><html lang=en><title>T</title><main><h1>T</h1>{}</main>"


async def test_what_is_inaccessible_is_seen(visit: Visit) -> None:
    page = await (await visit(None)).page("/signin")
    await page.set_content(GOOD.format("<img>"))
    [found] = await violations(page)
    assert found.startswith("image-alt")


async def test_a_page_wider_than_a_phone_is_seen(visit: Visit) -> None:
    page = await (await visit(None)).page("/signin")
    await page.set_content(GOOD.format("<table width=400><tr><td>wide</table>"))
    with pytest.raises(AssertionError, match="wider than 320 px"):
        await judge(page)


async def test_complaints_broken_policies_and_secrets_are_seen(visit: Visit, leaks: Leaks) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    await page.evaluate("console.error('broken')")
    await page.evaluate("document.body.setAttribute('style', 'color: red')")
    await page.evaluate("fetch('https://elsewhere.example/').catch(() => 0)")
    await page.goto(f"/signin?to=/{SECRET}")
    with pytest.raises(AssertionError, match="broken"):
        at.watched.check()
    assert any("Content Security Policy" in one for one in at.watched.said)
    at.watched.said.clear()
    assert leaks.found == ["/signin"]
    leaks.found.clear()
