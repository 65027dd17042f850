"""How much a page costs: requests and bytes on the wire, as counts, and how much it moves."""

from playwright.async_api import Page, Response

from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.web.person import Visit
from tests.web.requesting import dns

COLD_REQUESTS, COLD_BYTES = 6, 40_000
WARM_REQUESTS, WARM_BYTES = 2, 12_000
MOST_SHIFT = 0.02
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
    return len(answers), sum(one["responseHeadersSize"] + one["responseBodySize"] for one in sizes)


async def test_pages_stay_within_their_budget(stack: Stack, visit: Visit) -> None:
    made = dns(stack, "budget.example.com")
    for path in ("/", "/catalog", "/catalog/web-kitchen-sink/request", f"/requests/{made['id']}"):
        page = await (await visit(DANA)).page("about:blank")
        requests, size = await cost(page, path)
        assert requests <= COLD_REQUESTS + ("requests" in path), path
        assert size <= COLD_BYTES, path
        assert await page.evaluate(_SHIFT) < MOST_SHIFT, path
        _, size = await cost(page, path)
        assert size <= WARM_BYTES, path
