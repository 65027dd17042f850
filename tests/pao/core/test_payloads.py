"""Old and new workers meet during a deploy: what one writes, the other reads."""

import dataclasses
import importlib
import inspect
import json
import pkgutil
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from pao.clients.temporal_connection import ForgivingConverter
from pao.core import payloads
from pao.core.payloads.catalog import HeldRevision, SyncReport
from pao.core.timestamps import moment, timestamp

CONVERTERS = [DataConverter.default.payload_converter, ForgivingConverter()]
MODULES = [
    importlib.import_module(one.name)
    for one in pkgutil.iter_modules(payloads.__path__, f"{payloads.__name__}.")
]
CLASSES = [
    found
    for module in MODULES
    for _, found in inspect.getmembers(module, inspect.isclass)
    if dataclasses.is_dataclass(found) and found.__module__ == module.__name__
]
FIRST_RELEASE = {
    "ActionFailure": {"code", "message"},
    "ActionInput": {"context", "action"},
    "ActionResult": set(),
    "ActionState": {"id", "index", "type", "name"},
    "AuditEvent": {"seq", "at", "event_type", "actor"},
    "Correction": {"context"},
    "CorrectionAnswer": {"valid"},
    "DecisionRecord": {"decision_id", "decision", "at"},
    "Escalation": {"ticket_key", "url", "escalated_at", "escalated_by"},
    "EscalationInput": {"context", "error_context"},
    "ItemSnapshot": {"id", "version", "name"},
    "LookResult": {"answer"},
    "MirrorAnswer": {"applied"},
    "OutcomeQuery": {"decision_id"},
    "PlannedAction": {"id", "index", "type", "name"},
    "RequestContext": {"request_id", "correlation_id", "submitted_at", "item", "requester"},
    "RequestInput": {"context"},
    "RequestOutcome": {"status"},
    "Requester": {"id"},
    "SettledRequest": {"status", "at"},
    "Snapshot": {"request_id", "run_id", "mirror_at", "mirror_seq", "status"},
    "StreamEvent": {"seq", "at", "kind"},
    "WorkflowTimeouts": set(),
}
"""The fields without a default. None may be added: histories hold payloads without it."""


def required(kind: type[Any]) -> set[str]:
    missing = dataclasses.MISSING
    return {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is missing and field.default_factory is missing
    }


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_field_added_since_the_first_release_has_a_default(kind: type[Any]) -> None:
    assert required(kind) <= FIRST_RELEASE.get(kind.__name__, required(kind))


def test_every_payload_of_the_first_release_is_still_there() -> None:
    assert {one.__name__ for one in CLASSES} >= FIRST_RELEASE.keys()


def minimal(kind: type[Any]) -> dict[str, Any]:
    """Return the smallest document that the first release would have written."""
    values: dict[str, Any] = {
        "attempt": 1,
        "index": 0,
        "seq": 1,
        "number": 7,
        "removes": 30,
        "served": 40,
        "mirror_seq": 1,
        "valid": True,
        "applied": True,
        "holds": True,
        "status": "failed",
        "error_context": {},
        "item": {"id": "i", "version": "1.0.0", "name": "Item"},
        "requester": {"id": "dana"},
        "action": {"id": "a", "index": 0, "type": "jira-ticket", "name": "A"},
    }
    values["context"] = {
        "request_id": "r",
        "correlation_id": "c",
        "submitted_at": "2026-03-01T12:00:00.000Z",
        "item": values["item"],
        "requester": values["requester"],
    }
    values["about"] = values["call"] = {"context": values["context"], "action": values["action"]}
    return {name: values.get(name, "x") for name in required(kind)}


@pytest.mark.parametrize("converter", CONVERTERS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_fields_of_a_newer_worker_are_ignored_and_missing_ones_have_defaults(
    kind: type[Any], converter: Any
) -> None:
    document = {**minimal(kind), "brand_new": {"of": "a later release"}}
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(document).encode())
    read = converter.from_payload(payload, kind)
    assert isinstance(read, kind)
    assert not hasattr(read, "brand_new")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_what_is_written_is_read_back_the_same(kind: type[Any]) -> None:
    converter = DataConverter.default.payload_converter
    document = json.dumps(minimal(kind)).encode()
    value = converter.from_payload(
        Payload(metadata={"encoding": b"json/plain"}, data=document), kind
    )
    assert converter.from_payload(converter.to_payload(value), kind) == value


def test_what_a_sync_changed_is_counted_whether_named_or_not() -> None:
    held = HeldRevision.from_document(
        {"revision": "r" * 40, "removes": 3, "served": 4, "items": ["a"], "more": 1}
    )
    assert held == HeldRevision("r" * 40, 3, 4, ["a"])
    assert str(held) == f"revision {'r' * 12} would remove 3 of 4 items and is held back"
    report = SyncReport(("a", "b"), ("c",), (), ("x.yaml",), judged=9, unnamed={"refused": 5})
    assert report.summary() == "2 added, 1 changed, 0 removed, 9 files checked, 6 refused"
    named = {"added": ["a", "b"], "changed": ["c"], "removed": [], "refused": ["x.yaml"]}
    assert report.document() == named | {"unnamed": {"refused": 5}}
    assert dataclasses.replace(report, unnamed={}).document() == named


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 3, 1, 14, 0, 0, 123_987, timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-03-01T12:00:00.123Z"
    assert timestamp(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-01T14:00:00+02:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00.000+0000", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("tomorrow", None),
        (None, None),
        (1_770_000_000, None),
    ],
)
def test_a_moment_of_another_system_is_read_in_utc(written: object, read: datetime | None) -> None:
    assert moment(written) == read
