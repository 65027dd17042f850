"""The measurings one after another, and what is made of each. How a call is made is in load.py."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any, ParamSpec, TypeVar

from benchmarks import aims, documents, lists, load, processor, retries, signatures, truth
from benchmarks.figures import figures
from benchmarks.load import EXECUTED, SUBMISSION, UPDATED, Series, StackAddresses
from benchmarks.report import Check, Report
from pao.app.local.postgres import PostgresAddress
from pao.app.local.progress import ProgressReporter

LIST_RATIO = 1.5
SUBMISSION_MS = 3000.0
# With more than this waiting for each other, most of a call is the queue.
MEASURED_AS_RATIO = 10

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: ``rounds`` of ``each`` calls per caller, by callers in parallel."""

    submissions: dict[int, tuple[int, int]]
    warm_up: int
    costs: int
    retries: int
    reads: int
    many: int
    items: int


FULL = Size(
    submissions={1: (150, 1), 10: (12, 3), 50: (4, 3)},
    warm_up=4,
    costs=20,
    retries=15,
    reads=200,
    many=200_000,
    items=2_000,
)
QUICK = Size(
    submissions={1: (30, 1), 10: (3, 2), 50: (1, 1)},
    warm_up=4,
    costs=6,
    retries=4,
    reads=60,
    many=20_000,
    items=200,
)


@dataclass(slots=True)
class Bench:
    """One run on one stack."""

    place: StackAddresses
    postgres: PostgresAddress
    size: Size
    pool: ProcessPoolExecutor
    progress: ProgressReporter
    report: Report
    made: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Measure everything, the smallest tables first."""
        self.progress.report("Warming up")
        self._submissions(parallel=5, rounds=1, each=self.size.warm_up)
        self._memory()
        few = self._pages(lists.FEW)
        self._catalog()
        self._signatures()
        self._documents()
        for parallel, (rounds, each) in self.size.submissions.items():
            self.progress.report(f"Submissions and bare workflows by turns, {parallel} in parallel")
            self._compare(parallel, rounds=rounds, each=each)
        self._costs()
        self._retries()
        self._compare_pages(few, self._pages(self.size.many))
        self._truth()

    def _apart(
        self,
        function: Callable[Given, Coroutine[Any, Any, Result]],
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Result:
        """Run a measuring in the client's own process."""
        result: Result = self.pool.submit(_run, function, given, named).result()
        return result

    def _memory(self) -> None:
        held = processor.memory()
        if held:
            own = held["api"] + held["worker"]
            told = ", ".join(f"{name} {held[name]:.0f}" for name in ("api", "worker"))
            self.report.checks.append(
                aims.at_most(
                    "Idle memory of API and worker", own, aims.IDLE_MB, unit=" MB", note=told
                )
            )

    def _submissions(self, **named: Any) -> dict[str, Series]:
        series = self._apart(load.submissions, self.place, **named)
        calls = series[SUBMISSION].calls if SUBMISSION in series else []
        self.made += [call.id for call in calls if call.id is not None]
        refused = sum(call.id is None for call in calls)
        if refused:
            self.report.checks.append(
                Check("No submission is refused", f"{refused} refused", reached=False, must=True)
            )
        return series

    def _compare(self, parallel: int, *, rounds: int, each: int) -> None:
        series = self._submissions(parallel=parallel, rounds=rounds, each=each)
        names = {
            EXECUTED: f"bare workflow, {parallel} in parallel",
            UPDATED: f"bare, update-with-start, {parallel} in parallel",
            SUBMISSION: f"submission, {parallel} in parallel",
        }
        for kind, name in names.items():
            seconds = [call.seconds for call in series[kind].calls]
            self.report.times[name] = figures(seconds, elapsed=series[kind].elapsed)
        own, other = self.report.times[names[SUBMISSION]], self.report.times[names[EXECUTED]]
        ratio, late = own.p50 / other.p50, own.p95 / other.p95
        rate = (own.per_second or 0.0) / (other.per_second or 1.0)
        name = f"Submission against a bare workflow, {parallel} in parallel"
        pairs = f"pair by pair {_median_ratio(series):.2f}" if parallel == 1 else ""
        checks = self.report.checks
        if parallel <= MEASURED_AS_RATIO:
            checks.append(aims.at_most(f"{name}, p50", ratio, aims.SUBMISSION_P50, note=pairs))
            checks.append(aims.at_most(f"{name}, p95", late, aims.SUBMISSION_P95))
        if parallel == 1:
            return
        checks.append(aims.at_least(f"{name}, per second", rate, aims.SUSTAINED))
        checks.append(
            Check(
                f"Submission answered within 3 s at p99, {parallel} in parallel",
                f"{own.p99:.0f} ms, {_open(series)} of {own.count} answered before they settled; "
                f"{ratio:.2f} times a bare workflow at p50",
                own.p99 < SUBMISSION_MS,
            )
        )

    def _costs(self) -> None:
        self.progress.report("Processor time of a submission and of a bare workflow")
        for kind, name in ((SUBMISSION, "one submission"), (EXECUTED, "one bare workflow")):
            before = processor.used()
            self._submissions(parallel=5, rounds=1, each=self.size.costs, kinds=(kind,))
            after = processor.used()
            costs = processor.spent(before, after, calls=5 * self.size.costs)
            if costs:
                title = f"Processor time of {name}, {sum(costs.values()):.1f} ms"
                self.report.costs[title] = costs

    def _retries(self) -> None:
        self.progress.report("Retries")
        seconds, made = self._apart(retries.retries, self.place, count=self.size.retries)
        self.made += made
        self.report.times["retry signal to action start"] = figures(seconds)

    def _catalog(self) -> None:
        self.progress.report("Catalog reads")
        each = self.size.reads
        worst = 0.0
        for path, name in (
            ("/catalog", "catalog list"),
            (f"/catalog/items/{load.ITEM}", "catalog item"),
        ):
            for parallel in (1, 10):
                count = each if parallel == 1 else each // 5
                series = self._apart(load.reads, self.place, path, parallel=parallel, each=count)
                found = figures([call.seconds for call in series.calls], elapsed=series.elapsed)
                self.report.times[f"{name}, {parallel} in parallel"] = found
                worst = max(worst, found.p99) if parallel == 1 else worst
        self.report.checks.append(
            Check(
                f"Catalog reads under {aims.CATALOG_MS:.0f} ms at p99",
                f"{worst:.1f} ms",
                worst < aims.CATALOG_MS,
            )
        )

    def _signatures(self) -> None:
        checks = self._apart(signatures.checks, each=1000)
        self.report.costs["Processor time of one signature check"] = {
            name: seconds * 1000 for name, seconds in checks.items()
        }

    def _documents(self) -> None:
        self.progress.report(f"The catalog engine alone, {self.size.items:,} generated items")
        found = documents.measure(self.size.items)
        self.report.costs[f"Catalog engine, {self.size.items:,} items"] = found.costs
        self.report.checks += found.checks

    def _pages(self, wanted: int) -> dict[str, list[float]]:
        self.progress.report(f"List pages with {wanted:,} stored requests")
        stored = asyncio.run(lists.fill(self.postgres.owner_url, wanted=wanted))
        pages = self._apart(lists.pages, self.place, each=self.size.reads)
        for kind, seconds in pages.items():
            if kind != lists.CONTROL:
                self.report.times[f"{kind}, {stored:,} stored"] = figures(seconds)
        return pages

    def _compare_pages(self, few: dict[str, list[float]], many: dict[str, list[float]]) -> None:
        mood = median(many[lists.CONTROL]) / median(few[lists.CONTROL])
        for kind in (lists.ADMIN, lists.DEVELOPER, lists.DEEP):
            ratio = median(many[kind]) / median(few[kind])
            self.report.checks.append(
                Check(
                    f"{kind}: {self.size.many:,} within {LIST_RATIO} times {lists.FEW}, p50",
                    f"{ratio:.2f} (the machine itself {mood:.2f})",
                    ratio / mood <= LIST_RATIO,
                )
            )

    def _truth(self) -> None:
        self.progress.report("Counting what has become of every submission")
        found = asyncio.run(
            truth.count(self.postgres.service_url, jira=self.place.jira, made=self.made)
        )
        self.report.checks.append(
            Check("Nothing lost, nothing twice", found.text(), found.right, must=True)
        )


def _run(
    function: Callable[..., Coroutine[Any, Any, Any]], given: Any, named: dict[str, Any]
) -> Any:
    return asyncio.run(function(*given, **named))


def _open(series: dict[str, Series]) -> int:
    calls = series[SUBMISSION].calls
    return sum(call.id is not None and call.status != load.CREATED for call in calls)


def _median_ratio(series: dict[str, Series]) -> float:
    own, other = series[SUBMISSION].calls, series[EXECUTED].calls
    return median(mine.seconds / bare.seconds for mine, bare in zip(own, other, strict=True))
