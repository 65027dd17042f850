"""Signals as an operator sends them: with Temporal's own program, whatever they carry."""

import asyncio
import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from tests.support.requests import Request
from tests.support.worker import Workbench, eventually


@dataclass(frozen=True, slots=True)
class Operator:
    """A person with the program ``temporal``."""

    program: Path
    address: str
    folder: Path

    async def signal(self, request: Request, name: str, *arguments: str) -> None:
        """Send a signal; raises when the program refuses to."""
        await self.run(
            "workflow", "signal", "--workflow-id", request.workflow_id, "--name", name, *arguments
        )

    async def run(self, *arguments: str) -> str:
        """Run a command of the program and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            "--address",
            self.address,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"HOME": str(self.folder), "PATH": ""},
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()


@pytest.fixture
def operator(temporal_program: Path, temporal_address: str, tmp_path: Path) -> Operator:
    return Operator(temporal_program, temporal_address, tmp_path)


def encoded(data: bytes, encoding: str = "json/plain") -> tuple[str, ...]:
    text = base64.b64encode(data).decode()
    return ("--input", text, "--input-base64", "--input-meta", f"encoding={encoding}")


def given(**payload: object) -> tuple[str, ...]:
    return ("--input", json.dumps(payload))


UNREADABLE = {
    "a text": ("--input", '"now, please"'),
    "a number": ("--input", "7"),
    "a list": ("--input", '["by", "me"]'),
    "two inputs": ("--input", "{}", "--input", "{}"),
    "two inputs of which one is nothing": ("--input", "null", "--input", "null"),
    "bytes": encoded(b"\x00\x01", "binary/plain"),
    "encrypted": encoded(b"\x00\x01", "binary/encrypted"),
    "a protocol buffer of no known type": encoded(b"\xff", "binary/protobuf"),
    "an unknown encoding": encoded(b"{}", "nobody/knows"),
    "an unknown key": given(because="of this"),
    "a number as name": given(by=7),
    "a list of fields": given(fields=["title"]),
    "an unknown mode": given(mode="magic"),
}


@pytest.mark.parametrize("arguments", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_cannot_be_read_is_recorded_as_rejected_and_the_request_lives_on(
    bench: Workbench, operator: Operator, arguments: tuple[str, ...]
) -> None:
    request = await bench.failed()
    await operator.signal(request, "retry", *arguments)
    await recorded_as_rejected(bench, request)
    await operator.signal(request, "abort")
    await bench.reached(request, "aborted")


@pytest.mark.parametrize(
    "data", [b"{by: me}", b"\xff\xfe\x00", b"[" * 100_000 + b"]" * 100_000, b"9" * 5_000, b""]
)
async def test_what_only_other_programs_can_send_is_recorded_as_rejected_too(
    bench: Workbench, data: bytes
) -> None:
    request = await bench.failed()
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    await bench.signal(request, "retry", RawValue(payload))
    await recorded_as_rejected(bench, request)
    await bench.signal(request, "abort")
    await bench.reached(request, "aborted")


async def test_evidence_that_is_nested_too_deep_is_refused_and_the_request_lives_on(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    outputs: dict[str, Any] = {}
    for _ in range(100):
        outputs = {"a": outputs}
    await bench.signal(request, "retry", {"evidence": {"present": True, "outputs": outputs}})
    await recorded_as_rejected(bench, request)
    [decision] = await bench.decisions(request)
    assert decision["message"] == "the evidence is nested deeper than 64 levels"
    await bench.signal(request, "abort")
    await bench.reached(request, "aborted")


async def recorded_as_rejected(bench: Workbench, request: Request) -> None:
    [decision] = await eventually(lambda: bench.decisions(request))
    assert (decision["decision"], decision["outcome"]) == ("retry", "rejected")
    [line] = [one for one in await bench.audit(request) if one["event_type"] == "decision.rejected"]
    assert line["reason"] == decision["message"] != ""


@pytest.mark.parametrize("arguments", [(), ("--input", "null"), ("--input", "{}")])
async def test_a_signal_without_input_decides_for_an_unknown_person(
    bench: Workbench, operator: Operator, arguments: tuple[str, ...]
) -> None:
    request = await bench.failed()
    await operator.signal(request, "abort", *arguments)
    await bench.reached(request, "aborted")
    [decision] = await bench.decisions(request)
    assert (decision["by"], decision["via"], decision["reason"]) == ("unknown", "temporal", None)


async def test_an_operators_decision_leaves_the_same_trail_as_one_through_the_api(
    bench: Workbench, operator: Operator
) -> None:
    request = await bench.failed()
    await operator.signal(request, "retry", *given(by="olga", reason="quota was raised"))
    await bench.reached(request, "completed")
    [decision] = await bench.decisions(request)
    told = {key: decision[key] for key in ("by", "via", "reason", "accepted", "outcome")}
    assert told == {
        "by": "olga",
        "via": "temporal",
        "reason": "quota was raised",
        "accepted": True,
        "outcome": "done",
    }
    [line] = [one for one in await bench.audit(request) if one["event_type"] == "request.retry"]
    assert (line["actor"], line["via"]) == ("olga", "temporal")


async def test_a_signal_of_an_unknown_name_is_in_the_audit_trail(
    bench: Workbench, operator: Operator
) -> None:
    request = await bench.failed()
    await operator.signal(request, "retyr", *given(by="olga"))
    await operator.signal(request, "x" * 900, *encoded(b"\xff", "nobody/knows"))
    await eventually(lambda: two_unknown(bench, request))
    await operator.signal(request, "retry")
    await bench.reached(request, "completed")


async def two_unknown(bench: Workbench, request: Request) -> bool:
    found = [one for one in await bench.audit(request) if one["event_type"] == "signal.unknown"]
    return len(found) == 2 and "'retyr'" in found[0]["reason"]


async def test_an_input_of_a_megabyte_is_cut_and_changes_nothing_else(
    bench: Workbench, operator: Operator, tmp_path: Path
) -> None:
    request = await bench.failed()
    file = tmp_path / "input.json"
    file.write_text(json.dumps({"by": "olga" * 1000, "reason": "r" * 1_000_000}))
    await operator.signal(request, "abort", "--input-file", str(file))
    await bench.reached(request, "aborted")
    [decision] = await bench.decisions(request)
    assert (len(decision["by"]), len(decision["reason"])) == (100, 2_000)


async def test_texts_that_postgres_cannot_store_do_not_block_the_request(
    bench: Workbench, operator: Operator, tmp_path: Path
) -> None:
    request = await bench.failed()
    file = tmp_path / "input.json"
    nasty = b'{"by": "a\\u0000b", "reason": "\\ud800", "decisionId": "d\\u0000", "\\u0000": 1}'
    file.write_bytes(nasty)
    await operator.signal(request, "retry", "--input-file", str(file))
    [decision] = await eventually(lambda: bench.decisions(request))
    assert decision["outcome"] == "rejected"
    nasty = b'{"by": "a\\u0000b", "reason": "\\ud800\\u0000", "decisionId": "e\\u0000"}'
    file.write_bytes(nasty)
    await operator.signal(request, "escalate", "--input-file", str(file))
    row = await bench.reached(request, "escalated")
    assert row["escalated_by"] == "a\N{REPLACEMENT CHARACTER}b"


async def test_the_input_that_the_details_show_works_as_it_is_written(
    bench: Workbench, operator: Operator
) -> None:
    request = await bench.failed()
    shown = await operator.run(
        "workflow", "metadata", "--workflow-id", request.workflow_id, "-o", "json"
    )
    details = json.loads(shown)["queryResult"][0]["currentDetails"]
    _, _, offer = details.partition("**retry**")
    text = offer.split("`")[1]
    signal = ("workflow", "signal", "--workflow-id", request.workflow_id, "--name", "retry")
    await operator.run(*signal, "--input", text)
    await bench.reached(request, "completed")
    [decision] = await bench.decisions(request)
    assert (decision["by"], decision["reason"]) == ("you", "quota was raised")
