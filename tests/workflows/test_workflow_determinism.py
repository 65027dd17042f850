"""What workflow code may name: nothing that answers differently when a history is replayed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "workflows").rglob("*.py"), *(ROOT / "pao" / "core").rglob("*.py")])
# Whatever is imported of a module without a list is deterministic, or its calls are refused below.
STANDARD: dict[str, set[str] | None] = {
    "asyncio": {
        "CancelledError",
        "Lock",
        "Task",
        "TimeoutError",
        "create_task",
        "gather",
        "shield",
    },
    "collections": None,
    "collections.abc": None,
    "contextlib": None,
    "dataclasses": None,
    "datetime": None,
    "enum": None,
    "functools": None,
    "hashlib": None,
    "json": None,
    "math": None,
    "re": None,
    "types": None,
    "typing": None,
    "urllib.parse": None,
    "uuid": {"UUID", "uuid5"},
}
OURS = {"pao", "temporalio", "workflows"}
CLOCK = {"fromtimestamp", "now", "today", "utcnow"}
BUILT_IN = {"__import__", "eval", "exec", "hash", "id", "input", "open", "print"}


def offences(source: str) -> Iterator[str]:
    """Yield what of a file may differ between a run and its replay."""
    modules: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules |= {one.asname or one.name: one.name for one in names}
                yield from (one.name for one in names if not _is_known(one.name))
            case ast.ImportFrom(module=str(module), names=names):
                yield from _unknown_of(module, [one.name for one in names])
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in modules:
                yield from _unknown_of(modules[name], [attr])
            case ast.Attribute(value=value, attr=attr) if attr in CLOCK:
                yield from [] if _is_of_temporal(value) else [attr]
            case ast.Call(func=ast.Name(id=name)) if name in BUILT_IN:
                yield name


def _is_of_temporal(value: ast.expr) -> bool:
    """Return whether a clock is the workflow's, or the one that a ledger was given."""
    return isinstance(value, ast.Name) and value.id in {"ledger", "self", "workflow"}


def _is_known(module: str) -> bool:
    return module.partition(".")[0] in OURS or module in STANDARD


def _unknown_of(module: str, names: list[str]) -> list[str]:
    if not _is_known(module):
        return [module]
    allowed = STANDARD.get(module)
    return [f"{module}.{name}" for name in names if allowed is not None and name not in allowed]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_workflow_code_names_nothing_that_a_replay_answers_differently(file: Path) -> None:
    assert list(offences(file.read_text())) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", "time"),
        ("import os.path", "os.path"),
        ("from random import choice", "random"),
        ("from uuid import uuid4", "uuid.uuid4"),
        ("import uuid as u\nu.uuid1()", "uuid.uuid1"),
        ("import asyncio\nasyncio.wait(tasks)", "asyncio.wait"),
        ("import asyncio\nasyncio.to_thread(f)", "asyncio.to_thread"),
        ("from datetime import datetime\ndatetime.now()", "now"),
        ("import datetime\ndatetime.datetime.now()", "now"),
        ("from datetime import datetime as moment\nmoment.utcnow()", "utcnow"),
        ("from datetime import date\ndate.today()", "today"),
        ("open('a')", "open"),
        ("hash('a')", "hash"),
    ],
)
def test_what_a_replay_would_answer_differently_is_found(source: str, found: str) -> None:
    assert list(offences(source)) == [found]


def test_what_temporal_makes_deterministic_is_allowed() -> None:
    source = "from temporalio import workflow\nworkflow.now()\nworkflow.uuid4()\nworkflow.random()"
    assert list(offences(source)) == []
