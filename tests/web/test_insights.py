"""The insights: three tables with bars, filters in the address, the same as CSV."""

import csv
import io

from playwright.async_api import expect

from api.insights.schemas import Insights, ItemTimes, Spread
from api.web.pages.insights.bars import Segment, stacked
from api.web.pages.insights.tables import csv_of
from tests.support.callers import DANA, STRANGER
from tests.support.stack import Stack
from tests.support.submissions import submit_failed
from tests.web.person import Visit, judge


async def test_the_tables_are_shown_narrowed_and_downloaded(stack: Stack, visit: Visit) -> None:
    caller = stack.caller(DANA)
    for decision in ("abort", None):
        request = submit_failed(stack, caller)
        if decision:
            answer = caller.post(f"/requests/{request['id']}/{decision}", json={"reason": "done"})
            assert answer.status_code == 200, answer.text
    item = request["catalogItemId"]
    at = await visit(DANA)
    page = await at.page("/insights")
    await expect(page).to_have_title("Insights: 30 days - PAO")
    for name in ("Who are requests waiting for?", "What fails, and why?", "What is waiting now?"):
        region = page.get_by_role("region", name=name)
        await expect(region.get_by_role("table")).to_be_visible()
    await expect(page.get_by_text("Invalid values").first).to_be_visible()
    await judge(page)

    await page.get_by_label("Period").select_option("7")
    await page.get_by_label("Item").select_option(item)
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_title(f"Insights: 7 days, {item} - PAO")
    assert f"item={item}" in page.url
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download CSV (What fails, and why?)").click()
    download = await started.value
    assert download.suggested_filename == "pao-failures.csv"
    text = (await download.path()).read_text("utf-8")
    [head, *rows] = csv.reader(io.StringIO(text, newline=""))
    assert head == ["item", "name", "cause", "failures"]
    assert {row[0] for row in rows} == {item}

    await page.get_by_role("link", name="Clear filters").click()
    await expect(page.get_by_label("Item")).to_have_value("")


async def test_who_sees_no_request_sees_none_counted(visit: Visit) -> None:
    at = await visit(STRANGER)
    page = await at.page("/insights?days=9000&item=%00&team=%3Cb%3E")
    for text in ("No request ended", "Nothing failed in this period.", "Nothing is waiting."):
        await expect(page.get_by_text(text)).to_be_visible()
    await judge(page)
    at.watched.expected.append("404")
    await at.page("/insights/secrets.csv")


def test_no_cell_of_the_csv_is_a_formula() -> None:
    spread = Spread(median=1, p90=2)
    text = csv_of(
        "times",
        Insights(
            days=7,
            since="",
            until="",
            item=None,
            team=None,
            times=[
                ItemTimes(
                    item="a",
                    name='=cmd|"x"',
                    requests=1,
                    machine_seconds=spread,
                    human_seconds=spread,
                )
            ],
            failures=[],
            waiting=[],
        ),
    )
    assert text is not None
    [_head, row] = csv.reader(io.StringIO(text, newline=""))
    assert row == ["a", '\'=cmd|"x"', "1", "1.0", "2.0", "1.0", "2.0"]


def test_parts_of_a_bar_follow_each_other() -> None:
    assert stacked((("a", 1), ("b", 0), ("c", 3)), largest=8) == [
        Segment(0, 12.5, "a"),
        Segment(12.5, 37.5, "c"),
    ]
