"""Terraform for tests: modules of the built-in resource, executions, and a state backend."""

import json
import shlex
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from temporalio.exceptions import ApplicationError

from activities.execution import Executor
from activities.log import LogLine
from activities.options import ActionOptions, TerraformOptions
from activities.registry import load_all
from activities.session_factory import Tools
from activities.state_registry import StateRegistry
from catalog.scopes import ScopeContext
from pao.clients.jira.instances import JiraInstances
from pao.core.payloads.actions import ActionInput, ActionResult, LookResult
from pao.runtime.crypto import SecretBox, generate_key
from tests.support.requests import Request, item, new_request

PASSWORD = "correct-horse-battery"

PAIR = """
variable "name" { type = string }
variable "token" {
  type      = string
  sensitive = true
  default   = "not-a-secret-at-all"
}
resource "terraform_data" "first" { input = var.name }
resource "terraform_data" "second" {
  input = { token = var.token, after = terraform_data.first.output }
}
output "name" { value = terraform_data.first.output }
output "token" {
  value     = var.token
  sensitive = true
}
output "leak" { value = "so: ${nonsensitive(var.token)}" }
"""

HALF_WAY = """
resource "terraform_data" "good" { input = "good" }
resource "terraform_data" "bad" {
  input = terraform_data.good.output
  lifecycle {
    postcondition {
      condition     = self.id == ""
      error_message = "The disk is full."
    }
  }
}
"""
"""The condition is checked only after the creation: the apply fails when both exist."""


def waiting_module(folder: Path) -> str:
    """Return a module whose second resource reports its start and waits until ``go`` exists."""
    command = f"touch {folder}/begun; until [ -e {folder}/go ]; do sleep 0.05; done"
    return f"""
resource "terraform_data" "first" {{ input = "first" }}
resource "terraform_data" "second" {{
  input = terraform_data.first.output
  provisioner "local-exec" {{ command = {json.dumps(command)} }}
}}
output "first" {{ value = terraform_data.first.output }}
"""


class LogRecorder:
    """Records the lines of the execution log."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def open(self, given: ActionInput) -> Self:
        """Return itself for every execution."""
        assert given.action.type == "terraform"
        return self

    async def write(self, line: LogLine) -> None:
        """Record the line."""
        self.lines.append(line)

    async def flush(self) -> None:
        """Nothing waits."""

    @property
    def text(self) -> str:
        """All lines as one text."""
        return "\n".join(f"{line.level} {line.message} {line.data}" for line in self.lines)


@dataclass(frozen=True, slots=True)
class TerraformBench:
    """A folder with modules and states, and executions of one request's action in it."""

    folder: Path
    options: TerraformOptions
    request: Request
    keys: str
    said: LogRecorder = field(default_factory=LogRecorder)
    states: StateRegistry = field(default_factory=StateRegistry)

    @classmethod
    def made(cls, folder: Path, program: Path) -> Self:
        """Return a bench whose module folder the operator has allowed."""
        options = TerraformOptions(
            binary=program,
            sources=(str(folder / "modules"),),
            state_folder=folder / "states",
            lock_seconds=0,
            grace_seconds=10,
        )
        keys = f"k1:{generate_key()}"
        box = SecretBox(keys)
        made = new_request(definition=item(), box=box, token=PASSWORD, title="orders")
        made.plan[0].type = "terraform"
        return cls(folder, options, made, keys)

    def having(self, **options: Any) -> "TerraformBench":
        """Return a copy with other operator options."""
        return replace(self, options=replace(self.options, **options))

    def module(self, text: str, name: str = "module") -> dict[str, Any]:
        """Write a module; return its configuration's source."""
        folder = self.folder / "modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.tf").write_text(text)
        return {"source": {"path": str(folder)}}

    def given(self, config: Mapping[str, Any], *, again: bool, seconds: float) -> ActionInput:
        """Return the input of one execution."""
        action = replace(self.request.plan[0], config=dict(config), timeout=seconds)
        return ActionInput(
            context=self.request.context, action=action, attempt=1 + again, look_first=again
        )

    def executor(self) -> Executor:
        """Return the executor of a worker with these options."""
        tools = Tools(
            box=SecretBox(self.keys),
            jira=JiraInstances([]),
            scope_context=ScopeContext(),
            options=ActionOptions(terraform=self.options),
            logs=self.said,
            states=self.states,
        )
        return Executor(load_all(), tools)

    async def execute(
        self, config: Mapping[str, Any], *, again: bool = False, seconds: float = 300
    ) -> ActionResult:
        """Execute the action once, as a worker does; ``again`` is a retry."""
        given = self.given(config, again=again, seconds=seconds)
        return await self.executor().execute(load_all()["terraform"], given)

    async def failure(self, config: Mapping[str, Any], **more: Any) -> "TerraformFailure":
        """Execute the action, which must fail, and return what Temporal is told."""
        with pytest.raises(ApplicationError) as caught:
            await self.execute(config, **more)
        [facts] = caught.value.details
        return TerraformFailure(str(caught.value.type), caught.value.message, facts)

    async def look(self, config: Mapping[str, Any]) -> LookResult:
        """Look for the effect, read-only."""
        return await self.executor().look(self.given(config, again=True, seconds=300))


@dataclass(frozen=True, slots=True)
class TerraformFailure:
    """How an execution failed: its kind, its message, its facts."""

    kind: str
    message: str
    facts: dict[str, Any]

    @property
    def left(self) -> list[str]:
        """The addresses of what was left behind."""
        return [one["id"] for one in self.facts["partial"]]


def script(file: Path, text: str) -> Path:
    """Write a program."""
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def wrapped(file: Path, program: Path, before: Sequence[str] = ()) -> Path:
    """Write a program that notes its arguments in ``<file>.log`` and becomes the real one."""
    noting = f'echo "$@" >> {shlex.quote(str(file))}.log'
    return script(file, "\n".join([noting, *before, f'exec {shlex.quote(str(program))} "$@"']))


class _StateListener(ThreadingHTTPServer):
    """Listens for a state server on a port of its own."""

    def __init__(self, of: "StateServer") -> None:
        self.of = of
        super().__init__(("127.0.0.1", 0), _StateCalls)


class _StateCalls(BaseHTTPRequestHandler):
    """What the state server answers."""

    server: "_StateListener"

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _hold(self) -> None:
        if self.server.of.hold == self.command:
            self.server.of.holding.set()
            self.server.of.let_go.wait()

    def do_GET(self) -> None:
        self._hold()
        self._answer(*((200, self.server.of.states[-1]) if self.server.of.states else (404, b"")))

    def do_POST(self) -> None:
        body = self._body()
        self._hold()
        if not self.server.of.refuse_writing:
            self.server.of.states.append(body)
        self._answer(500 if self.server.of.refuse_writing else 200)

    def do_LOCK(self) -> None:
        body = self._body()
        if self.server.of.lock is not None:
            self._answer(423, self.server.of.lock)
            return
        self.server.of.lock, self.server.of.locks = body, self.server.of.locks + 1
        self._answer(200)

    def do_UNLOCK(self) -> None:
        self._body()
        self.server.of.lock = None
        self._answer(200)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class StateServer:
    """A state backend over HTTP, as Terraform's backend ``http`` speaks it, with faults."""

    def __init__(self) -> None:
        self.states: list[bytes] = []
        self.lock: bytes | None = None
        self.refuse_writing = False
        self.hold: str | None = None
        """The method whose calls are not answered before ``let_go``; ``holding``: one came."""
        self.holding, self.let_go = threading.Event(), threading.Event()
        self.locks = 0
        self._server = _StateListener(self)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/state"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def backend(self) -> dict[str, Any]:
        """The configuration that leads here."""
        addresses = {"address": self.url, "lock_address": self.url, "unlock_address": self.url}
        return {"backend": {"type": "http", "config": {**addresses, "retry_max": "0"}}}

    @property
    def addresses(self) -> list[str]:
        """What is in the newest state."""
        resources = json.loads(self.states[-1])["resources"] if self.states else []
        return sorted(f"{one['type']}.{one['name']}" for one in resources)
