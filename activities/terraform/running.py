"""One execution, step by step: module, init, workspace, plan, apply of that plan, outputs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.base import ActionContext
from activities.errors import ActionError, ActionFailedError, OutcomeUnknownError
from activities.options.terraform import TerraformOptions
from activities.terraform import backend, failures, policy
from activities.terraform.cli import Cli, UnreadableError, find_program
from activities.terraform.commands import commands_in_plan
from activities.terraform.events import Events, Summary
from activities.terraform.hcl import Block, UnreadableFileError, read_folder
from activities.terraform.plugins import one_at_a_time
from activities.terraform.process import MARGIN_SECONDS, Ended, Surroundings
from activities.terraform.requirement import Required
from activities.terraform.room import (
    Room,
    environment,
    keep_unwritten_state,
    private_room,
    unwritten_states,
    write_json,
)
from activities.terraform.source import allowed, fetch
from activities.terraform.state import StateResource, own_or_touched, resources_of
from activities.terraform.veil import Veil, sensitive_variables
from pao.clients.jira import Deadline
from pao.core.errors import ErrorCode
from pao.core.payloads import PartialResource

CHANGES = 2
"""The exit code of ``plan -detailed-exitcode`` that says that there is something to apply."""

READING_SECONDS = 30.0
"""Kept of the deadline for reading the state after a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A saved plan: whether it changes anything, and what."""

    changes: bool
    summary: Summary
    outputs: frozenset[str]


@asynccontextmanager
async def prepared(required: Required, context: ActionContext) -> AsyncIterator["Run"]:
    """Give an initialised module in a private directory, which is removed afterwards."""
    options = context.options.terraform
    program = find_program(options)
    source = allowed(required.source, options)
    async with private_room() as room:
        given = Surroundings(
            folder=room.root,
            private=room.root,
            environment=environment(room, options),
            grace=options.grace_seconds,
            deadline=_before(context.deadline, options),
        )
        cli = Cli(program, given)
        try:
            folder = await fetch(source, room, cli)
            run = Run(required, context, room=room, folder=folder, cli=cli)
            await run.initialise()
            yield run
        except ActionError as error:
            _leave_out_paths(error, room)
            raise


def _leave_out_paths(error: ActionError, room: Room) -> None:
    """Leave out where the private directory was: it is gone, and tells a person nothing."""
    error.message = room.without_paths(error.message)
    error.response_body = room.without_paths(error.response_body or "") or None


def _before(deadline: Deadline, options: TerraformOptions) -> Deadline:
    """Leave time to stop Terraform in order and to read what it left."""
    left = deadline.remaining()
    kept = options.grace_seconds + MARGIN_SECONDS + READING_SECONDS
    return Deadline.after(left - min(kept, left / 2))


class Run:
    """The steps of one execution; each raises the typed error of an action."""

    def __init__(
        self, required: Required, context: ActionContext, *, room: Room, folder: Path, cli: Cli
    ) -> None:
        self.required = required
        self._context = context
        self._options: TerraformOptions = context.options.terraform
        self._room = room
        self._folder = folder
        self._cli = cli
        self._veil = Veil(context.secrets)
        self._lock = f"-lock-timeout={int(self._options.lock_seconds)}s"

    async def initialise(self) -> None:
        """Write what the commands read, then init: backend, providers, modules."""
        await policy.check_root(self.required, self._room, self._folder, self._options)
        files = await self._files()
        for name in sensitive_variables(files) & set(self.required.variables):
            self._veil.learn(self.required.variables[name])
        write_json(self._room.variables, self.required.variables)
        written = backend.write(
            self.required, self._room, self._folder, files=files, options=self._options
        )
        command = ["init", "-input=false", "-no-color"]
        if self._room.backend.exists():
            command.append(f"-backend-config={self._room.backend}")
        async with one_at_a_time(self._options.plugin_cache):
            ended, _ = await self._text(*command)
        if ended.code != 0:
            raise failures.not_begun("init", ended)
        backend.check(self.required, self._room, written=written)
        await policy.check_modules(self._room, self._folder, self._options)

    async def _files(self) -> Mapping[str, Block]:
        try:
            return await asyncio.to_thread(read_folder, self._folder)
        except UnreadableFileError as error:
            raise ActionFailedError(
                f"The module cannot be read: {error}. Nothing was changed. Put the file right "
                "(terraform validate), then retry."
            ) from error

    async def use_workspace(self, *, create: bool) -> bool:
        """Go to the workspace; False where it does not exist and is not to be made."""
        if not create and not await self.has_workspace():
            return False
        if not backend.has_workspaces(self._room):
            return True
        name = self.required.workspace
        ended, _ = await self._text("workspace", "select", "-no-color", "-or-create", name)
        if ended.code != 0:
            raise failures.not_begun("workspace select", ended)
        return True

    async def has_workspace(self) -> bool:
        """Say whether the workspace exists; a backend without workspaces has its only one."""
        if not backend.has_workspaces(self._room):
            return True
        return self.required.workspace in await self._workspaces()

    async def forget_workspace(self) -> None:
        """Remove the workspace again, which a plan alone has made; one with a state stays."""
        name = self.required.workspace
        await self._text("workspace", "select", "-no-color", "default")
        ended, _ = await self._text("workspace", "delete", "-no-color", self._lock, name)
        if ended.code != 0:
            message = f"The empty workspace {name} could not be removed"
            await self._context.log.warning(message)

    async def _workspaces(self) -> set[str]:
        ended, listed = await self._text("workspace", "list", "-no-color")
        if ended.code != 0:
            raise failures.not_begun("workspace list", ended)
        return {line.strip("* ").strip() for line in listed.splitlines()}

    async def push_unwritten_state(self) -> None:
        """Write the state of an earlier attempt that found its backend away, before anything else.

        Without it the next plan would make everything a second time.
        """
        for file in unwritten_states(self._options, name=self._context.mark):
            ended, _ = await self._text("state", "push", self._lock, str(file))
            if ended.code != 0:
                raise _unwritten(file, ended.errors)
            await asyncio.to_thread(file.unlink)
            await self._context.log.info("The state of the earlier attempt is written now")

    async def plan(self) -> Plan:
        """Plan, save the plan, and refuse it where it may not be applied."""
        events = self._events()
        command = ["plan", "-json", "-input=false", "-detailed-exitcode", self._lock]
        command += [f"-var-file={self._room.variables}", f"-out={self._room.plan}"]
        command += ["-destroy"] if self.required.destroy else []
        command += self._parallel()
        ended = await self._cli.events(self._command(*command), self._folder, events)
        if ended.code not in {0, CHANGES} or ended.late:
            raise failures.not_begun("plan", ended, events.errors)
        read = await self._read_plan()
        policy.refuse_commands(commands_in_plan(read), self._options)
        summary = events.summary or Summary()
        message = f"Plan: {summary}"
        counts = {"add": summary.add, "change": summary.change, "destroy": summary.destroy}
        await self._context.log.info(message, counts)
        declared = read.get("configuration", {}).get("root_module", {}).get("outputs", {})
        plan = Plan(changes=ended.code == CHANGES, summary=summary, outputs=frozenset(declared))
        self._check_outputs(plan)
        return plan

    async def _read_plan(self) -> dict[str, Any]:
        try:
            ended, read = await self._json("show", "-json", str(self._room.plan))
        except UnreadableError as error:
            raise ActionFailedError(
                f"The plan cannot be checked, for {error}; nothing was changed. Make the module "
                "smaller: several actions may share its work."
            ) from error
        if ended.code != 0:
            raise failures.not_begun("show", ended)
        self._veil.learn_plan(read)
        return read

    def _check_outputs(self, plan: Plan) -> None:
        missing = sorted(set(self.required.outputs or ()) - plan.outputs)
        if missing:
            raise ActionFailedError(
                f"The module has no output {', '.join(missing)}; nothing was changed. It has: "
                f"{', '.join(sorted(plan.outputs)) or 'none'}."
            )

    async def apply(self) -> None:
        """Apply exactly the saved plan."""
        events = self._events()
        command = self._command("apply", "-json", "-input=false", self._lock, *self._parallel())
        ended = await self._cli.events([*command, str(self._room.plan)], self._folder, events)
        if unwritten := self._room.unwritten_state():
            await self._save(unwritten)
        if ended.code != 0:
            raise failures.half_way(ended, events, await self._partial(events))

    async def _save(self, unwritten: Path) -> None:
        """Write the state again, for the backend may be back; else keep it and say where."""
        ended, _ = await self._late().text(
            self._command("state", "push", self._lock, str(unwritten)), self._folder
        )
        if ended.code != 0:
            kept = keep_unwritten_state(unwritten, self._options, name=self._context.mark)
            raise _unwritten(kept, ended.errors)
        await self._context.log.warning("The state was written at the second try")

    async def _partial(self, events: Events) -> list[PartialResource] | None:
        try:
            present = await self.resources(late=True)
        except (UnreadableError, ActionFailedError):
            return None
        own = self.required.own
        return [
            resource.left_behind(self.whereabouts)
            for resource in own_or_touched(present, events.touched | self.left_before, own=own)
        ]

    async def resources(self, *, late: bool = False) -> list[StateResource]:
        """Give what is in the state; raises UnreadableError or ActionFailedError."""
        cli = self._late() if late else self._cli
        ended, read = await cli.json(self._command("show", "-json"), self._folder)
        if ended.code != 0:
            raise failures.not_begun("show", ended)
        values = read.get("values") or {}
        self._veil.learn_values(values)
        return resources_of(values)

    async def outputs(self) -> dict[str, Any]:
        """Give the outputs as Terraform tells them: value and whether it is sensitive."""
        try:
            ended, read = await self._json("output", "-json")
        except UnreadableError as error:
            raise _applied_but(f"its outputs cannot be read: {error}.") from error
        if ended.code != 0:
            raise _applied_but(f"its outputs could not be read. {ended.errors}")
        for output in read.values():
            if output.get("sensitive"):
                self._veil.learn(output.get("value"))
        return read

    @property
    def left_before(self) -> set[str]:
        """The addresses that earlier attempts are known to have left."""
        return {one.id for one in self._context.left if one.id is not None}

    @property
    def whereabouts(self) -> str:
        """Say where the state is, for the person who cleans up."""
        kind = self._room.backend_in_use() or backend.LOCAL
        if not backend.has_workspaces(self._room):
            return f"the state in the backend {kind}"
        return f"workspace {self.required.workspace} of the backend {kind}"

    def _events(self) -> Events:
        return Events(info=self._context.log.info, warning=self._context.log.warning)

    def _parallel(self) -> list[str]:
        given = self.required.parallelism
        return [] if given is None else [f"-parallelism={given}"]

    def _command(self, *arguments: str) -> list[str]:
        return [self._cli.program, *arguments]

    def _late(self) -> Cli:
        """Give the program for what is done after a failure, within the time kept for that."""
        return self._cli.until(self._context.deadline)

    async def _text(self, *arguments: str) -> tuple[Ended, str]:
        return await self._cli.text(self._command(*arguments), self._folder)

    async def _json(self, *arguments: str) -> tuple[Ended, dict[str, Any]]:
        return await self._cli.json(self._command(*arguments), self._folder)


def _unwritten(kept: Path, errors: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "Terraform has made changes, but their state could not be written to its backend. It is "
        f"kept on this worker in {kept}. Do not retry elsewhere before it is written: repair the "
        "backend and retry on this worker, which writes it first, or run terraform state push "
        f"with that file. {errors}",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        retryable=True,
    )


def _applied_but(what: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"Terraform has applied the plan, but {what} A retry finds everything in the state and "
        "reads them again.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        retryable=True,
    )
