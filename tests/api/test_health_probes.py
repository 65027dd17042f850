"""A part of health is asked once for all who want to know."""

import asyncio
from typing import Any

import pytest

from api.health.probes import Probe

LONG = 3600.0
UNKNOWN, BROKEN = "unknown", "broken"


class Part:
    """Answers when it is told to, and counts its questions."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()

    async def ask(self) -> str:
        self.asked += 1
        await self.answers.wait()
        return f"answer {self.asked}"


def probe_of(part: Part, **options: Any) -> Probe[str]:
    return Probe(part.ask, unknown=UNKNOWN, broken=BROKEN, **options)


async def test_callers_that_come_together_share_one_question() -> None:
    part = Part()
    probe = probe_of(part, patience=LONG)
    callers = [asyncio.create_task(probe.now()) for _ in range(20)]
    while not part.asked:  # noqa: ASYNC110 -- turns of the loop, no time
        await asyncio.sleep(0)
    part.answers.set()
    answers = await asyncio.gather(*callers)
    assert (part.asked, set(answers)) == (1, {"answer 1"})


async def test_an_answer_that_is_fresh_is_not_asked_for_again() -> None:
    part = Part()
    part.answers.set()
    probe = probe_of(part, fresh=LONG)
    assert [await probe.now() for _ in range(3)] == ["answer 1"] * 3
    probe.forget()
    assert await probe.now() == "answer 2"


async def test_a_silent_part_is_being_checked_and_then_told_as_it_last_was() -> None:
    part = Part()
    probe = probe_of(part, patience=0.01, checking=lambda last: f"{last}, being checked")
    assert await probe.now() == UNKNOWN
    part.answers.set()
    while (known := await probe.now()) == UNKNOWN:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0)
    part.answers.clear()
    assert await probe.now() in {f"{known}, being checked", "answer 2, being checked"}
    assert part.asked <= 3
    await probe.close()


async def test_where_nothing_old_will_do_a_silent_part_is_unknown() -> None:
    part = Part()
    part.answers.set()
    probe = probe_of(part, patience=0.2)
    while await probe.now() == UNKNOWN:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0)
    part.answers.clear()
    assert await probe.now() == UNKNOWN
    await probe.close()


async def test_a_part_that_breaks_does_not_take_health_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken() -> str:
        raise ZeroDivisionError

    probe = Probe(broken, unknown=UNKNOWN, broken=BROKEN, patience=LONG)
    assert await probe.now() == BROKEN
    assert "failed unexpectedly" in caplog.text
