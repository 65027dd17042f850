"""Calling terraform or tofu: which program, and what a command returns."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from activities.action_errors import ActionFailedError
from activities.options.terraform import TerraformOptions
from activities.terraform.events import Events
from activities.terraform.process import (
    BoundedOutput,
    CommandResult,
    LineReader,
    ProcessContext,
    run,
)
from pao.clients.jira import Deadline
from pao.core.failure_classes import NOT_SET

TEXT_LIMIT = 1024**2
JSON_LIMIT = 64 * 1024**2
"""Bytes of a plan or state in JSON. More cannot be checked, so it is not applied."""


class UnreadableOutputError(Exception):
    """A command succeeded, but its output is not valid JSON or too long."""


def find_program(options: TerraformOptions) -> str:
    """Return the program to use; raises ActionFailedError where this worker has none."""
    if options.binary is not None:
        if not os.access(options.binary, os.X_OK) or options.binary.is_dir():
            raise ActionFailedError(
                f"TERRAFORM_BINARY names {options.binary}, which is not an executable "
                "file on this worker. Install terraform or tofu there, then retry.",
                retryable=True,
                judged=NOT_SET,
            )
        return str(options.binary)
    for name in ("terraform", "tofu"):
        if found := shutil.which(name, path=options.search_path):
            return found
    raise ActionFailedError(
        "There is neither terraform nor tofu on this worker. Install one on its PATH, or name it "
        "in TERRAFORM_BINARY, then retry.",
        retryable=True,
        judged=NOT_SET,
    )


class TerraformCli:
    """One program in one environment; each call says in which folder."""

    def __init__(self, program: str, context: ProcessContext, *, name: str | None = None) -> None:
        self.program = program
        self.name = name or Path(program).name
        self._context = context

    @property
    def environment(self) -> Mapping[str, str]:
        """What the commands get."""
        return self._context.environment

    @property
    def deadline(self) -> Deadline:
        """When a command that still runs is stopped."""
        return self._context.deadline

    def with_environment(self, **more: str) -> "TerraformCli":
        """Return the same with further variables."""
        return self._with(environment={**self._context.environment, **more})

    def as_worker(self) -> "TerraformCli":
        """Return the same as the worker's own user, for what runs nothing of a module."""
        return self._with(account=None)

    def until(self, deadline: Deadline) -> "TerraformCli":
        """Return the same with another deadline."""
        return self._with(deadline=deadline)

    def _with(self, **other: Any) -> "TerraformCli":
        return TerraformCli(self.program, replace(self._context, **other), name=self.name)

    async def text(self, command: list[str], folder: Path) -> tuple[CommandResult, str]:
        """Run a command that prints plain text."""
        whole = BoundedOutput(TEXT_LIMIT)
        ended = await run(command, replace(self._context, folder=folder), whole.take)
        return ended, whole.content.decode(errors="replace")

    async def bytes(self, command: list[str], folder: Path) -> tuple[CommandResult, bytes]:
        """Run a command that prints a state; raises UnreadableOutputError beyond the limit."""
        whole = BoundedOutput(JSON_LIMIT)
        ended = await run(command, replace(self._context, folder=folder), whole.take)
        if whole.too_large:
            raise UnreadableOutputError(f"it is larger than {JSON_LIMIT // 1024**2} MB")
        return ended, whole.content

    async def json(self, command: list[str], folder: Path) -> tuple[CommandResult, dict[str, Any]]:
        """Run a command that prints one JSON object; raises UnreadableOutputError."""
        whole = BoundedOutput(JSON_LIMIT)
        ended = await run(command, replace(self._context, folder=folder), whole.take)
        if ended.code != 0:
            return ended, {}
        if whole.too_large:
            raise UnreadableOutputError(f"it is larger than {JSON_LIMIT // 1024**2} MB")
        try:
            read = json.loads(whole.content)
        except ValueError as error:
            raise UnreadableOutputError("it is not JSON") from error
        if not isinstance(read, dict):
            raise UnreadableOutputError("it is not a JSON object")
        return ended, read

    async def events(self, command: list[str], folder: Path, events: Events) -> CommandResult:
        """Run a command that reports what it does in JSON lines."""
        lines = LineReader(events.take)
        ended = await run(command, replace(self._context, folder=folder), lines.take)
        await lines.end()
        return ended


@dataclass(frozen=True, slots=True)
class ModuleCli:
    """The program in the folder of the module."""

    cli: TerraformCli
    folder: Path

    @property
    def deadline(self) -> Deadline:
        """When a command that still runs is stopped."""
        return self.cli.deadline

    def until(self, deadline: Deadline) -> "ModuleCli":
        """Return the same with another deadline."""
        return ModuleCli(self.cli.until(deadline), self.folder)

    async def text(self, *arguments: str) -> tuple[CommandResult, str]:
        """Run a command that prints plain text."""
        return await self.cli.text([self.cli.program, *arguments], self.folder)

    async def bytes(self, *arguments: str) -> tuple[CommandResult, bytes]:
        """Run a command that prints a state; raises UnreadableOutputError beyond the limit."""
        return await self.cli.bytes([self.cli.program, *arguments], self.folder)

    async def json(self, *arguments: str) -> tuple[CommandResult, dict[str, Any]]:
        """Run a command that prints one JSON object; raises UnreadableOutputError."""
        return await self.cli.json([self.cli.program, *arguments], self.folder)

    async def events(self, *arguments: str, into: Events) -> CommandResult:
        """Run a command that reports what it does in JSON lines."""
        return await self.cli.events([self.cli.program, *arguments], self.folder, into)
