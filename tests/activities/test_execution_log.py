"""What an action says while it runs: lines of the request's execution log."""

from dataclasses import replace
from typing import Any

import pytest

from activities.execution_log import ExecutionLogs
from activities.log import LINES, LOG_FULL, ActionLog
from db.repositories.events import EventsRepository, StoredEvent
from db.repositories.mirror import MirrorRepository
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.mirror import Snapshot, StreamEvent
from pao.core.states import RequestStatus
from pao.runtime.masking import SecretMasks
from tests.support.requests import new_request
from tests.support.worker import eventually

RUN = "run-1"


async def running(db: Database) -> ActionInput:
    request = new_request()
    async with db.unit_of_work() as session:
        new = NewRequest(context=request.context, plan=request.plan)
        await RequestsRepository(session).insert(new)
    return ActionInput(context=request.context, action=request.plan[0], run_id=RUN)


def log_of(db: Database, given: ActionInput, *secrets: str) -> ActionLog:
    return ActionLog(ExecutionLogs(db).open(given), SecretMasks(secrets))


async def lines(db: Database, given: ActionInput) -> list[StoredEvent]:
    async with db.reading() as session:
        return await EventsRepository(session).page(
            given.context.request_id, kinds=("log",), limit=1000
        )


def said(found: list[StoredEvent]) -> list[tuple[Any, Any]]:
    return [(line.data["level"], line.data["message"]) for line in found]


async def test_lines_are_stored_in_order_with_their_action(db: Database) -> None:
    given = await running(db)
    voice = log_of(db, given)
    await voice.info("Plan: 2 to add", data={"add": 2})
    await voice.warning("the disk is small")
    await voice.flush()
    found = await lines(db, given)
    assert said(found) == [("info", "Plan: 2 to add"), ("warning", "the disk is small")]
    first = found[0].data
    assert (first["actionId"], first["attempt"], first["data"]) == ("ticket", 1, {"add": 2})


async def test_lines_are_stored_while_the_action_still_runs(db: Database) -> None:
    given = await running(db)
    voice = log_of(db, given)
    await voice.info("it has begun")
    await eventually(lambda: lines(db, given))
    await voice.flush()


async def test_a_repeated_execution_adds_only_what_is_new(db: Database) -> None:
    given = await running(db)
    for extra in ("queued", "done"):
        voice = log_of(db, given)
        for message in ("waiting", "waiting", extra):
            await voice.info(message)
        await voice.flush()
    assert [message for _, message in said(await lines(db, given))] == [
        "waiting",
        "waiting",
        "queued",
        "done",
    ]


async def test_another_attempt_says_the_same_anew(db: Database) -> None:
    given = await running(db)
    for attempt in (1, 2):
        voice = log_of(db, replace(given, attempt=attempt))
        await voice.info("it has begun")
        await voice.flush()
    assert [line.data["attempt"] for line in await lines(db, given)] == [1, 2]


async def test_lines_and_the_ledgers_entries_never_take_each_others_place(db: Database) -> None:
    given = await running(db)
    entry = StreamEvent(seq=1, at="2026-03-01T12:00:00.000Z", kind="log", data={"message": "own"})
    snapshot = Snapshot(
        request_id=given.context.request_id,
        run_id=RUN,
        mirror_at="2026-03-01T12:00:00.000Z",
        mirror_seq=1,
        status=RequestStatus.IN_PROGRESS,
        stream=[entry],
    )
    voice = log_of(db, given)
    await voice.info("said by the action")
    await voice.flush()
    async with db.unit_of_work() as session:
        await MirrorRepository(session).write(snapshot)
    messages = [line.data["message"] for line in await lines(db, given)]
    assert messages == ["said by the action", "own"]


async def test_a_line_holds_no_secret_and_is_bounded(db: Database) -> None:
    given = await running(db)
    voice = log_of(db, given, "s3cret-token")
    await voice.info("with s3cret-token " + "x" * 10_000, data={"s3cret-token": ["s3cret-token"]})
    await voice.info("much", data={"text": "y" * 100_000})
    await voice.info("odd \x00 \ud800", data={"n": float("nan"), "o": object})
    await voice.flush()
    first, second, _ = await lines(db, given)
    assert "s3cret" not in str(first.data)
    assert first.data["data"] == {"********": ["********"]}
    assert len(first.data["message"]) == 2000
    assert len(str(second.data)) < 500


async def test_more_lines_than_are_kept_end_with_a_word_about_it(db: Database) -> None:
    given = await running(db)
    voice = log_of(db, given)
    for number in range(LINES + 50):
        await voice.info(f"line {number}")
    await voice.flush()
    found = said(await lines(db, given))
    assert len(found) == LINES
    assert found[-1] == ("warning", LOG_FULL)


async def test_an_action_does_not_notice_a_database_that_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = Database("postgresql://pao:x@127.0.0.1:1/pao")
    given = ActionInput(context=new_request().context, action=new_request().plan[0], run_id=RUN)
    voice = ActionLog(ExecutionLogs(away).open(given))
    await voice.info("nobody hears this")
    await voice.flush()
    await away.close()
    assert "1 lines of an action's log are lost" in caplog.text


async def test_a_request_that_is_unknown_takes_no_lines(db: Database) -> None:
    given = ActionInput(context=new_request().context, action=new_request().plan[0], run_id=RUN)
    voice = log_of(db, given)
    await voice.info("for nobody")
    await voice.flush()
    assert await lines(db, given) == []
