"""The target of every action type, for the contract test; a new type adds a class and a line."""

import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from activities.options import ActionOptions, TerraformOptions
from tests.support.github import GitHubSandbox
from tests.support.raw_servers import RawServer, answering, cutting
from tests.support.targets import (
    SECRET,
    ContractTarget,
    JiraTarget,
    NotificationTarget,
    RestTarget,
    WebhookTarget,
)

_REPOSITORY = "platform/tenants"


class GitHubTarget(ContractTarget):
    """For what GitHub does: the stand-in; ``call`` is the one whose answer has the effect."""

    call: ClassVar[Mapping[str, str]]

    def __init__(self, folder: Path, terraform: Path) -> None:
        super().__init__(folder, terraform)
        self.sandbox = GitHubSandbox(folder).start()

    def options(self) -> ActionOptions:
        return self.sandbox.options()

    def well(self) -> None:
        self.sandbox.clear_faults()

    def cut(self) -> None:
        self.sandbox.fault("cut-after", **self.call)

    def fail_after(self, status: int) -> None:
        self.sandbox.fault("status-after", status=status, **self.call)

    def away(self) -> None:
        self.sandbox.fault("cut-before", times=None)

    def hang(self) -> None:
        self.sandbox.fault("slow", seconds=30, **self.call)

    def refuse(self) -> None:
        self.sandbox.fault("status", status=422, message=f"You said {SECRET}.", **self.call)

    def hanging(self) -> bool:
        return self.effects() > 0

    def close(self) -> None:
        self.sandbox.stop()


class GitHubWorkflowTarget(GitHubTarget):
    """For github-workflow, by the mark in the run's name."""

    type = "github-workflow"
    call: ClassVar[Mapping[str, str]] = {"path": "dispatches"}

    def config(self) -> dict[str, Any]:
        return {
            "repository": "platform/provisioning",
            "workflowFile": "provision.yml",
            "ref": "main",
            "inputs": {"namespace": "{{fields.title}}", "environment": "{{secrets.token}}"},
            "waitForCompletion": False,
        }

    def effects(self) -> int:
        return len(self.sandbox.runs())


class GitCommitTarget(GitHubTarget):
    """For git-commit, by the trailers of its commit."""

    type = "git-commit"
    # A correction is a commit on top.
    revisions_add = 1
    call: ClassVar[Mapping[str, str]] = {"method": "PATCH", "path": "git/refs"}

    def config(self) -> dict[str, Any]:
        text = "{{fields.title}} {{secrets.token}}"
        return {
            "repository": _REPOSITORY,
            "branch": "main",
            "files": [{"path": "{{fields.title}}.txt", "contentTemplate": text}],
            "commitMessage": "Add {{fields.title}}",
        }

    def effects(self) -> int:
        return len(self.sandbox.branch(_REPOSITORY)["messages"]) - 1


_MODULE = """
variable "name" { type = string }
variable "token" { type = string }
variable "refused" {
  type    = bool
  default = false
}
resource "terraform_data" "thing" {
  input = "${var.name} ${var.token}"
  lifecycle {
    precondition {
      condition     = !var.refused
      error_message = "You said ${var.token}."
    }
  }
}
output "thing" { value = terraform_data.thing.output }
"""


class TerraformTarget(ContractTarget):
    """For terraform, the real program: a state backend over HTTP, with one state per request."""

    type = "terraform"
    # Each failure takes seconds, for the real program runs.
    patience = 2

    def __init__(self, folder: Path, terraform: Path) -> None:
        super().__init__(folder, terraform)
        self._module = folder / "module"
        self._module.mkdir()
        (self._module / "main.tf").write_text(_MODULE)
        self._states: dict[str, bytes] = {}
        self._lost: set[str] = set()
        self._cutting = self._refused = False
        self._status = 0
        self._hangs = threading.Event()
        self._hanging = threading.Event()
        self._server = RawServer(self._serve)

    def options(self) -> ActionOptions:
        options = TerraformOptions(
            binary=self.terraform,
            sources=(str(self._module),),
            state_folder=self.folder / "kept",
            lock_seconds=0,
            grace_seconds=1,
        )
        return ActionOptions(terraform=options)

    def config(self) -> dict[str, Any]:
        address = f"{self._server.url}/{{{{request.id}}}}"
        variables = {"name": "{{fields.title}}", "token": "{{secrets.token}} {{secrets.key}}"}
        return {
            "source": {"path": str(self._module)},
            "variables": variables | {"refused": self._refused},
            "backend": {"type": "http", "config": {"address": address, "retry_max": "0"}},
        }

    def effects(self) -> int:
        return sum(b'"terraform_data"' in state for state in self._states.values())

    def well(self) -> None:
        self._cutting, self._lost = False, set()

    def cut(self) -> None:
        self._cutting = True

    def fail_after(self, status: int) -> None:
        self._cutting, self._status = True, status

    def hang(self) -> None:
        self._hangs.set()

    def refuse(self) -> None:
        self._refused = True

    def hanging(self) -> bool:
        return self._hanging.is_set()

    def close(self) -> None:
        self._server.close()

    def _serve(self, connection: socket.socket, request: bytes) -> None:
        if self._hangs.is_set():
            self._hanging.set()
            connection.recv(1)
            return
        method, path = request.decode(errors="replace").split(" ")[:2]
        if method == "POST":
            self._states[path] = request.partition(b"\r\n\r\n")[2]
            if self._cutting:
                self._lost.add(path)
        # Once a state was written, nobody learns of it: neither now nor by the second try.
        if path in self._lost:
            if self._status:
                answering(status=f"{self._status} Odd")(connection, request)
            else:
                cutting(connection, request)
            return
        status = "200 OK" if path in self._states else "404 Not Found"
        answering(self._states.get(path, b""), status=status)(connection, request)


TARGETS: Mapping[str, type[ContractTarget]] = {
    kind.type: kind
    for kind in (
        GitCommitTarget,
        GitHubWorkflowTarget,
        JiraTarget,
        NotificationTarget,
        RestTarget,
        TerraformTarget,
        WebhookTarget,
    )
}
ELSEWHERE: Mapping[str, str] = {
    "approval": "it calls no target: people decide, which the workflow's own tests show",
}
"""Types that have no target to which anything could happen, and where they are tested."""
