"""The first page: what is at hand, and how services usually go."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from api.requests.history import UsualTimes
from api.web.pages.request.presentation import usual_words
from tests.support.callers import OLIVER, STRANGER
from tests.support.stack import Stack
from tests.web.person import Visit, judge
from tests.web.requesting import submit

MINUTE, HOUR = timedelta(minutes=1).total_seconds(), timedelta(hours=1).total_seconds()


async def test_a_star_is_kept_for_the_user_on_every_device(visit: Visit) -> None:
    page = await (await visit(OLIVER)).page("/catalog/network-dns-record")
    star = page.get_by_role("button", name="Star", exact=True)
    await expect(star).to_have_attribute("aria-pressed", "false")
    await star.click()
    await expect(star).to_have_attribute("aria-pressed", "true")
    await judge(page)
    other = await (await visit(OLIVER)).page("/")
    starred = other.locator("aside li", has_text="DNS Record")
    await expect(starred).to_be_visible()
    await judge(other)
    await starred.get_by_role("button", name="Remove star from DNS Record").click()
    await expect(other.get_by_text("Star a service on its page")).to_be_visible()
    await expect(other).to_have_url("/")


async def test_a_new_user_is_shown_the_way(visit: Visit) -> None:
    at = await visit(STRANGER)
    page = await at.page("/")
    await expect(page.get_by_text("You have not requested anything yet.")).to_be_visible()
    await expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    await judge(page)
    at.watched.expected.append("404")
    answer = await at.context.request.post(
        "/catalog/no-such-item/star",
        form={"starred": "yes"},
        headers={"Origin": page.url.rstrip("/")},
    )
    assert answer.status == 404


@pytest.mark.parametrize(
    ("usual", "words"),
    [
        (None, ""),
        (
            {"median": 6 * MINUTE, "most": 40 * MINUTE, "helped_percent": 3},
            "6 min, 90 % within 40 min, 3 % needed a person",
        ),
        ({"median": 2.0, "most": 3 * HOUR, "helped_percent": 0}, "2.0 s, 90 % within 3 h"),
    ],
)
def test_what_is_usual_is_said_in_words(usual: dict[str, Any] | None, words: str) -> None:
    assert usual_words(UsualTimes(times=9, **usual) if usual else None) == words


async def test_what_is_usual_stands_beside_what_is_promised(stack: Stack, visit: Visit) -> None:
    for number in range(5):
        made = submit(stack, "certificate-tls-server", commonName=f"usual-{number}.example.com")
        assert made["status"] == "completed", made
    page = await (await visit()).page("/catalog/certificate-tls-server")
    await expect(page.locator(".facts").first).to_contain_text("Usually")
    await expect(page.locator(".facts").first).to_contain_text("90 % within")
    await page.goto(f"/requests/{made['id']}")
    await expect(page.locator(".facts").first).to_contain_text("90 % within")
