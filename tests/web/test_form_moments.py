"""Dates with times: entered in the reader's zone, kept in RFC 3339."""

from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from api.web.datetimes import INCOMPLETE, from_local, to_local
from tests.support.callers import DANA
from tests.web.person import Visit

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-05T09:00:00Z", "2026-01-05T10:00"),
        ("2026-07-05T09:00:30+02:00", "2026-07-05T09:00:30"),
        ("2026-01-05T09:00:00.250Z", "2026-01-05T10:00:00.250"),
        ("", ""),
        (INCOMPLETE, ""),
        # What no native input can show is shown as a text.
        ("2026-01-05T09:00:00.000001Z", None),
        ("next Monday", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_a_moment_is_shown_in_the_readers_zone(text: str, shown: str | None) -> None:
    assert to_local(text, ZoneInfo(BERLIN)) == shown


@pytest.mark.parametrize(
    ("text", "zone", "kept"),
    [
        ("2026-01-05T10:00", BERLIN, "2026-01-05T10:00:00+01:00"),
        ("2026-07-05T10:00:30", BERLIN, "2026-07-05T10:00:30+02:00"),
        ("2026-01-05T10:00:00.250", "UTC", "2026-01-05T10:00:00.250Z"),
        ("2026-01-05T10:00", "Nowhere/Land", "2026-01-05T10:00:00Z"),
        # An hour that a clock skips is the one after it.
        ("2026-03-29T02:30", BERLIN, "2026-03-29T02:30:00+01:00"),
        ("1800-01-01T12:00", BERLIN, "1800-01-01T11:06:32Z"),
        ("2026-01-05T10:00:00-05:00", BERLIN, "2026-01-05T10:00:00-05:00"),
        ("0001-01-01T00:00", "Asia/Tokyo", "0001-01-01T00:00"),
        ("2026-02-30T10:00", BERLIN, "2026-02-30T10:00"),
        ("soon", BERLIN, "soon"),
        ("", BERLIN, ""),
    ],
)
def test_what_is_entered_is_kept_with_its_offset(text: str, zone: str, kept: str) -> None:
    assert from_local(text, zone=zone, before="") == kept


def test_a_moment_that_was_not_changed_stays_as_it_was_written() -> None:
    before = "2026-01-05T09:00:00Z"
    assert from_local("2026-01-05T10:00", zone=BERLIN, before=before) == before


async def test_a_moment_is_entered_as_the_readers_clock_says(visit: Visit) -> None:
    at = await visit(DANA, timezone_id="Asia/Tokyo")
    await at.page("/")
    page = await at.page("/catalog/web-kitchen-sink/request")
    starts = page.get_by_label("Starts")
    await expect(starts).to_have_attribute("type", "datetime-local")
    await expect(starts).to_have_value("2026-01-05T18:00")
    await expect(page.get_by_text("In the time zone Asia/Tokyo.")).to_be_visible()
    await starts.fill("2026-02-01T08:30")
    await page.get_by_role("button", name="Review").last.click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(starts).to_have_value("2026-02-01T08:30")
    # Half a date is no empty field.
    await starts.press("Backspace")
    await starts.blur()
    await expect(page.get_by_text("Starts must be a moment")).to_be_visible()
    plain = await (await visit(DANA, java_script_enabled=False)).page(page.url)
    await expect(plain.get_by_text("In the time zone UTC.")).to_be_visible()
    await plain.get_by_label("Starts").fill("2026-02-01T00:30")
    await plain.get_by_role("button", name="Review").last.click()
    await expect(plain.get_by_label("Starts")).to_have_value("2026-02-01T00:30")
    await page.reload()
    await expect(starts).to_have_value("2026-02-01T09:30")
