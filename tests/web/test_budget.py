"""How much a page costs: requests and bytes on the wire, as counts, and how much it moves."""

from playwright.async_api import Page, Response, expect

from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.web.person import Visit
from tests.web.requesting import dns

COLD_REQUESTS, COLD_BYTES = 6, 40_000
WARM_REQUESTS, WARM_BYTES = 2, 12_000
MOST_SHIFT = 0.02
MOST_CHECKED = 3_000
_SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


async def cost(page: Page, path: str) -> tuple[int, int]:
    """Open a page; return how many answers came over the wire, and their bytes."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    await page.goto(path, wait_until="networkidle")
    page.remove_listener("response", note)
    sizes = [await one.request.sizes() for one in answers]
    wire = [one["responseHeadersSize"] + one["responseBodySize"] for one in sizes]
    # What the browser has kept is an answer of no size.
    return sum(one["responseBodySize"] > 0 for one in sizes), sum(wire)


async def test_pages_stay_within_their_budget(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "budget.example.com")
    # Large ones may cost twice as much; a request asks for its tickets besides.
    pages = {
        "/": (1, 0),
        "/catalog": (1, 0),
        "/catalog/web-kitchen-sink": (1, 0),
        "/waiting": (1, 0),
        "/catalog/web-kitchen-sink/request": (1, 0),
        "/catalog/web-large/request": (2, 0),
        f"/requests/{made['id']}": (1, 1),
    }
    for path, (times, more) in pages.items():
        page = await (await visit(DANA)).page("about:blank")
        requests, size = await cost(page, path)
        assert requests <= times * COLD_REQUESTS + more, (path, requests)
        assert size <= times * COLD_BYTES, (path, size)
        assert await page.evaluate(_SHIFT) < MOST_SHIFT, path
        requests, size = await cost(page, path)
        assert requests <= times * WARM_REQUESTS + more, (path, requests)
        assert size <= times * WARM_BYTES, (path, size)


async def test_checking_a_large_form_answers_with_little(visit: Visit) -> None:
    page = await (await visit()).page("/catalog/web-large/request")
    async with page.expect_response("**/check") as checking:
        await page.get_by_label("Show all").check()
    answer = await checking.value
    assert (await answer.request.sizes())["responseBodySize"] < MOST_CHECKED
    await expect(page.get_by_label("Field 290")).to_be_visible()
