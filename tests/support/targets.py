"""Targets of action types that succeed, cut, hang or refuse for the contract test.

The table of all, and those that need more than a few lines, are in contract_targets.py.
"""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from activities.breakers import BreakerLimits, BreakerOptions, Breakers
from activities.log import LogLine
from activities.options import ActionOptions
from activities.outgoing import NetworkAccess
from activities.registry import load_all
from pao.clients.jira.instances import JiraInstances
from tests.support.actions import ActionRunner, loopback_network
from tests.support.jira import JiraSandbox, start_jira_sandbox
from tests.support.raw_servers import RawServer, answering, cutting

SECRET = "s3cret-of-the-operator"
SIGNING_KEY = "s3cret-signing-key-of-the-operator"


class LogRecorder:
    """Records the lines of actions, as the execution log would."""

    def __init__(self) -> None:
        self.said: list[LogLine] = []

    def open(self, _given: Any) -> "LogRecorder":
        """Return itself."""
        return self

    async def write(self, line: LogLine) -> None:
        """Record a line."""
        self.said.append(line)

    async def flush(self) -> None:
        """Nothing waits."""


class ContractTarget:
    """The target of one type, as the contract test needs it."""

    type: ClassVar[str]
    # Whether two attempts of one action are one effect there.
    knows_repeats: ClassVar[bool] = True
    # After how many failures in a row its breaker opens.
    patience: ClassVar[int] = 5
    # How many effects more a revision is.
    revisions_add: ClassVar[int] = 0

    def __init__(self, folder: Path, terraform: Path) -> None:
        self.folder = folder
        self.terraform = terraform
        self.lines = LogRecorder()

    def stage(self, network: NetworkAccess | None = None) -> ActionRunner:
        """Return the runner of the type, with a new network or this one; the caller closes it."""
        limits = BreakerOptions(limits=BreakerLimits(failures=self.patience))
        return ActionRunner(
            load_all()[self.type],
            secrets={"token": SECRET, "key": SIGNING_KEY},
            jira=self.jira(),
            logs=self.lines,
            options=self.options(),
            network=network or loopback_network(breakers=Breakers(options=limits)),
        )

    def options(self) -> ActionOptions:
        """Return what the operator has configured for the type."""
        return ActionOptions()

    def jira(self) -> JiraInstances | None:
        """Return the JIRA instances, where the type needs them."""
        return None

    def config(self) -> dict[str, Any]:
        """Return a configuration that reads the field ``title`` and a secret."""
        raise NotImplementedError

    def effects(self) -> int:
        """Count the effects; repeats of an action count once if the target recognizes them."""
        raise NotImplementedError

    def well(self) -> None:
        """Do what is asked for."""
        raise NotImplementedError

    def cut(self) -> None:
        """Do what is asked for, and cut the connection before the answer."""
        raise NotImplementedError

    def fail_after(self, status: int) -> None:
        """Do what is asked for, and answer with a status that does not say so."""
        raise NotImplementedError

    def away(self) -> None:
        """Fail so that the circuit breaker opens."""
        self.cut()

    def hang(self) -> None:
        """Take the call and answer nothing."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Refuse, and repeat what was sent."""
        raise NotImplementedError

    def hanging(self) -> bool:
        """Return whether a call hangs now."""
        raise NotImplementedError

    def close(self) -> None:
        """End the target."""
        raise NotImplementedError


class HttpTarget(ContractTarget):
    """A service that keeps things by name, and knows repeats by a key."""

    key_header: ClassVar[str] = "idempotency-key"

    def __init__(self, folder: Path, terraform: Path) -> None:
        super().__init__(folder, terraform)
        self._things: dict[str, dict[str, str]] = {}
        self._mode: Callable[[socket.socket, bytes], None] = self._do
        self._hanging = threading.Event()
        self.server = RawServer(self._serve)

    def effects(self) -> int:
        return len(self._things)

    def well(self) -> None:
        self._mode = self._do

    def cut(self) -> None:
        def cut_after(connection: socket.socket, request: bytes) -> None:
            self._make(request)
            cutting(connection, request)

        self._mode = cut_after

    def fail_after(self, status: int) -> None:
        def fail(connection: socket.socket, request: bytes) -> None:
            self._make(request)
            headers = {"Location": "/elsewhere"}
            answering(b"{}", status=f"{status} Odd", headers=headers)(connection, request)

        self._mode = fail

    def hang(self) -> None:
        def wait(connection: socket.socket, _request: bytes) -> None:
            self._hanging.set()
            connection.recv(1)

        self._mode = wait

    def refuse(self) -> None:
        def echo(connection: socket.socket, request: bytes) -> None:
            text = json.dumps({"you said": request.decode(errors="replace")})
            answering(text.encode(), status="400 No")(connection, request)

        self._mode = echo

    def hanging(self) -> bool:
        return self._hanging.is_set()

    def close(self) -> None:
        self.server.close()

    def _serve(self, connection: socket.socket, request: bytes) -> None:
        self._mode(connection, request)

    def _do(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            found = list(self._things.values())
            answering(json.dumps({"items": found}).encode())(connection, request)
            return
        made = json.dumps(self._make(request)).encode()
        answering(made, status="201 Created")(connection, request)

    def _make(self, request: bytes) -> dict[str, str]:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(one.split(": ", 1) for one in head.decode().lower().split("\r\n")[1:])
        key = headers.get(self.key_header) or body.decode()
        return self._things.setdefault(key, {"id": f"T-{len(self._things) + 1}"})


class RestTarget(HttpTarget):
    """For rest-api, by its key."""

    type = "rest-api"

    def config(self) -> dict[str, Any]:
        return {
            "endpoint": {"url": f"{self.server.url}/things"},
            "authentication": {"type": "bearer", "token": "{{secrets.token}}"},
            "headers": {"X-Title": "{{fields.title}}"},
            "body": {"contentTemplate": {"title": "{{fields.title}}", "key": "{{secrets.key}}"}},
            "idempotencyHeader": "Idempotency-Key",
            "response": {"extract": {"id": {"path": "$.id", "type": "string"}}},
        }


class WebhookTarget(HttpTarget):
    """For webhook, by the delivery's id."""

    type = "webhook"
    key_header = "x-pao-delivery"

    def config(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/hook?token={{{{secrets.token}}}}",
            "secret": "{{secrets.key}}",
            "payload": {"title": "{{fields.title}}", "token": "{{secrets.token}}"},
        }


class NotificationTarget(HttpTarget):
    """For notification; a channel knows no repeats."""

    type = "notification"
    knows_repeats = False

    def config(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/services/{{{{secrets.token}}}}",
            "text": "{{fields.title}} {{secrets.token}}",
            "required": True,
        }


class JiraTarget(ContractTarget):
    """For jira-ticket: the stand-in."""

    type = "jira-ticket"

    def __init__(self, folder: Path, terraform: Path) -> None:
        super().__init__(folder, terraform)
        self._sandbox: JiraSandbox = start_jira_sandbox(folder)
        self._clients = JiraInstances([self._sandbox.instance()])

    def jira(self) -> JiraInstances:
        return self._clients

    def config(self) -> dict[str, Any]:
        text = "{{fields.title}} {{secrets.token}}"
        return {"ticket": {"summaryTemplate": "{{fields.title}}", "descriptionTemplate": text}}

    def effects(self) -> int:
        return len(self._sandbox.tickets())

    def well(self) -> None:
        self._sandbox.clear_faults()

    def cut(self) -> None:
        self._sandbox.fault("cut-after")

    def fail_after(self, status: int) -> None:
        self._sandbox.fault("status-after", status=status)

    def hang(self) -> None:
        self._sandbox.fault("slow", when="before", seconds=30)

    def refuse(self) -> None:
        self._sandbox.fault("status", status=400, message=f"You said {SECRET}.")

    def hanging(self) -> bool:
        return all(fault.get("times") == 0 for fault in self._sandbox.faults())

    def close(self) -> None:
        self._clients.close()
        self._sandbox.stop()
