"""`make chaos`: requests and decisions while the parts of PAO are killed and stopped at random.

Starts its own PAO on free ports in a temporary folder, which is removed at the end. After the
rounds everything is started, failed requests are decided, and every request is compared: the
callers' responses, Postgres, Temporal, and the stand-in's tickets. The exit code is 0 when nothing
was lost, doubled, disagreeing or forgotten, and every call had a correct answer.
"""

import argparse
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pao.app.local.progress import ProgressReporter
from pao.app.local.temporal_binary import find_or_build
from sandbox.chaos.callers import KINDS, SEARCH_FAULTS, CallRecords, decide, fail_searches, submit
from sandbox.chaos.result_check import Findings, check_results, read_requests, unsettled_requests
from sandbox.chaos.stack import PARTS, ChaosStack

DISTURBANCES = ("kill", "kill", "pause", "end")
DECISIONS = ("retry", "retry", "retry", "abort", "escalate")
MAINTENANCE = ("sweep", "reconcile")
SETTLING_SECONDS = 180.0
# How often the searches of a round fail, and how many of them at most.
FAILING_SEARCHES = 0.4
MAX_FAILING_SEARCHES = 3
# How long the stand-in's searches do not show a new ticket; PAO is told that they may lag longer.
SEARCH_LAG = 5.0
# Breakers that stay open for long would keep calls from the stand-in for most of a run.
ENVIRONMENT = {
    "PAO_SUBMISSION_BUDGET": "2s",
    "PAO_BREAKER_OPEN": "2s",
    "JIRA_SEARCH_LAG": f"{SEARCH_LAG:g}s",
}


class Chaos:
    """One run; the same seed disturbs the same parts in the same order."""

    def __init__(self, stack: ChaosStack, *, seed: int, progress: ProgressReporter) -> None:
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self._progress = progress
        self._seed = seed
        self.records = CallRecords()
        self.disturbed: Counter[str] = Counter()

    def run_rounds(self, rounds: int, submissions: int) -> None:
        """Run the rounds; at the end of each everything runs again."""
        with ThreadPoolExecutor(submissions * 2) as pool:
            for number in range(1, rounds + 1):
                started = time.monotonic()
                calls = self._calls(pool, number, submissions)
                what = self._disturb()
                self._stack.bring_all_up()
                for call in calls:
                    call.result()
                taken = time.monotonic() - started
                self._progress.report(f"round {number}: {what} ({taken:.1f} s)")

    def settle(self) -> None:
        """Wait until nothing is under way, then retry what failed, and wait once more."""
        self._wait_until_settled()
        self._stack.clear_faults()
        failed = [str(row["id"]) for row in read_requests(self._stack) if row["status"] == "failed"]
        self._progress.report(
            f"{len(failed)} requests have failed; each is retried until it is done"
        )
        for turn in range(5):
            for request_id in self._failed_among(failed):
                key = f"{self._seed}-end-{turn}-{request_id}"
                decide(self._stack, self.records, request_id, kind="retry", key=key)
            self._wait_until_settled()

    def _failed_among(self, ids: list[str]) -> list[str]:
        now = {str(row["id"]): row["status"] for row in read_requests(self._stack)}
        return [request_id for request_id in ids if now[request_id] == "failed"]

    def _calls(
        self, pool: ThreadPoolExecutor, number: int, submissions: int
    ) -> list["Future[None]"]:
        choose = self._random
        if choose.random() < FAILING_SEARCHES:
            times = choose.randint(1, MAX_FAILING_SEARCHES)
            fail_searches(self._stack, choose.choice(SEARCH_FAULTS), times=times)
        calls = [
            pool.submit(
                submit,
                self._stack,
                self.records,
                f"{self._seed}-{number}-{one}",
                kind=choose.choice(KINDS),
            )
            for one in range(submissions)
        ]
        failed = [str(row["id"]) for row in read_requests(self._stack) if row["status"] == "failed"]
        for request_id in choose.sample(failed, min(len(failed), submissions // 2)):
            kind = choose.choice(DECISIONS)
            key = f"{self._seed}-{number}-{request_id}"
            calls.append(
                pool.submit(decide, self._stack, self.records, request_id, kind=kind, key=key)
            )
        return calls

    def _disturb(self) -> str:
        """Disturb one or two parts, some time into the round, for some time."""
        done = []
        for part in self._random.sample(PARTS, self._random.choice((1, 1, 2))):
            how = self._random.choice(DISTURBANCES)
            threading.Event().wait(self._random.uniform(0.0, 1.0))
            getattr(self._stack, how)(part)
            self.disturbed[f"{how} {part}"] += 1
            done.append(f"{how} {part}")
        threading.Event().wait(self._random.uniform(0.2, 3.0))
        return ", ".join(done)

    def _wait_until_settled(self) -> None:
        """Trigger the schedules now, and wait until every request has settled."""
        ends = time.monotonic() + SETTLING_SECONDS
        self._stack.trigger(*MAINTENANCE)
        while unsettled_requests(self._stack) and time.monotonic() < ends:
            threading.Event().wait(2.0)
            self._stack.trigger(*MAINTENANCE)


def main() -> int:
    """Run it; the exit code is 0 unless there is a finding."""
    options = _options()
    progress = ProgressReporter()
    progress.report(f"seed {options.seed}, {options.rounds} rounds")
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pao-chaos-") as name, options.log.open("w") as log:
        stack = ChaosStack(
            Path(name) / "home",
            find_or_build(progress),
            environ=ENVIRONMENT,
            search_lag=SEARCH_LAG,
            sink=lambda part, line: print(part, line, file=log),
        )
        with stack:
            chaos = Chaos(stack, seed=options.seed, progress=progress)
            chaos.run_rounds(options.rounds, options.submissions)
            chaos.settle()
            findings = check_results(stack, chaos.records)
    return _report(options, chaos, findings)


def _report(options: argparse.Namespace, chaos: Chaos, findings: Findings) -> int:
    records = chaos.records
    wrong = [f"wrong answer: {one}" for one in records.wrong]
    unanswered = [f"never answered: {one}" for one in records.unanswered]
    found = [*findings.lines, *wrong, *unanswered]
    for line in found:
        print(f"  {line}")
    print(f"\n{options.rounds} rounds: {dict(sorted(chaos.disturbed.items()))}")
    print(
        f"{len(records.requests)} requests accepted, {records.decisions} decisions, "
        f"{len(records.unanswered)} calls never answered; ended as {dict(findings.statuses)}"
    )
    print(
        f"lost {len(findings.lost)}, doubled {len(findings.doubled)}, "
        f"disagreeing {len(findings.disagreeing)}, forgotten {len(findings.forgotten)}, "
        f"wrong answers {len(records.wrong)}"
    )
    print(f"The logs of the parts are in {options.log}. To repeat the run:")
    print(f"    make chaos ARGS='--seed {options.seed} --rounds {options.rounds}'")
    return 1 if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--submissions", type=int, default=6, help="requests per round")
    parser.add_argument("--log", type=Path, default=Path(".pao/chaos.log"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
