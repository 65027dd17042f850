"""How long a start is waited for; nothing here depends on how fast the machine is."""

from collections.abc import Iterator

import pytest

from pao.app.local.processes import ChildProcess, LocalError, Program
from pao.app.local.start_timeout import CPU_SECONDS, StartTimeout

STARTED: list[ChildProcess] = []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    while STARTED:
        STARTED.pop().stop(grace=1)


def child(script: str) -> ChildProcess:
    process = ChildProcess(Program(name="part", command=["/bin/sh", "-c", script]))
    STARTED.append(process)
    return process


def settled(process: ChildProcess, lines: int) -> ChildProcess:
    while process.distinct_lines < lines:
        process.wait(0.01)
    return process


def test_a_process_that_does_nothing_is_given_up_with_what_was_waited_for_at_the_end() -> None:
    still = settled(child("echo loading; exec sleep 60"), 1)
    patience = StartTimeout([still], seconds=0)
    patience.check("no worker is polling")

    with pytest.raises(LocalError) as caught:
        patience.check("no worker is polling")

    said = str(caught.value).splitlines()
    assert said[0] == "Not started: nothing moved for 0 s."
    assert said[-2:] == ["  loading", "no worker is polling"]


def test_another_reason_is_progress() -> None:
    patience = StartTimeout([settled(child("echo x; exec sleep 60"), 1)], seconds=0)
    for waiting_for in ("the database", "a worker", "the catalog"):
        patience.check(waiting_for)


def test_a_new_line_is_progress_and_the_same_one_at_another_time_is_not() -> None:
    talker = child("echo 10:01 starting; echo 10:02 starting; echo 10:03 done; exec sleep 60")
    while len(talker.last_lines) < 3:
        talker.wait(0.01)
    assert talker.distinct_lines == 2


def test_a_process_that_computes_is_waited_for_although_it_says_nothing() -> None:
    busy = child("while :; do :; done")
    patience = StartTimeout([busy], seconds=0)
    patience.check("it computes")
    for _ in range(2):
        used = busy.cpu_seconds()
        while busy.cpu_seconds() < used + CPU_SECONDS:
            busy.wait(0.05)
        patience.check("it computes")


def test_the_work_of_what_a_process_has_started_counts() -> None:
    parent = child("(while :; do :; done) & wait")
    while parent.cpu_seconds() < 0.2:
        parent.wait(0.05)


def test_a_process_that_ends_is_told_with_its_last_lines() -> None:
    dead = child("echo no such role; exit 3")
    dead.wait(20)
    with pytest.raises(LocalError) as caught:
        StartTimeout([dead]).check("anything")
    assert str(caught.value) == (
        "Not started: part ended with code 3. It last said:\n  no such role"
    )
    assert dead.cpu_seconds() == 0
