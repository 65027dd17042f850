"""A part of health is asked once for all who want to know."""

import asyncio

import pytest

from api.health.probes import CHECKING, Probe, State

LONG = 3600.0


class Part:
    """Answers when it is told to, and counts its questions."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()

    async def ask(self) -> State:
        self.asked += 1
        await self.answers.wait()
        return {"status": "ok", "asked": self.asked}


async def test_callers_that_come_together_share_one_question() -> None:
    part = Part()
    probe = Probe(part.ask, patience=LONG)
    callers = [asyncio.create_task(probe.now()) for _ in range(20)]
    while not part.asked:  # noqa: ASYNC110 -- turns of the loop, no time
        await asyncio.sleep(0)
    part.answers.set()
    answers = await asyncio.gather(*callers)
    assert (part.asked, {one["status"] for one in answers}) == (1, {"ok"})


async def test_an_answer_that_is_fresh_is_not_asked_for_again() -> None:
    part = Part()
    part.answers.set()
    probe = Probe(part.ask, fresh=LONG)
    assert [(await probe.now())["asked"] for _ in range(3)] == [1, 1, 1]
    probe.forget()
    assert (await probe.now())["asked"] == 2


async def test_a_silent_part_is_being_checked_and_then_told_as_it_last_was() -> None:
    part = Part()
    probe = Probe(part.ask, patience=0.01)
    assert await probe.now() == {"status": CHECKING}
    part.answers.set()
    while (known := await probe.now())["status"] == CHECKING:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0)
    part.answers.clear()
    later = await probe.now()
    assert (later["status"], later["checking"]) == (known["status"], True)
    assert part.asked <= 3
    await probe.close()


async def test_where_nothing_old_will_do_a_silent_part_is_unknown() -> None:
    part = Part()
    part.answers.set()
    probe = Probe(part.ask, patience=0.2, unknown={"status": "down"}, may_be_old=False)
    while (await probe.now())["status"] != "ok":  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0)
    part.answers.clear()
    assert await probe.now() == {"status": "down"}
    await probe.close()


async def test_a_part_that_breaks_does_not_take_health_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken() -> State:
        raise ZeroDivisionError

    assert (await Probe(broken, patience=LONG).now())["status"] == "down"
    assert "cannot be asked" in caplog.text
