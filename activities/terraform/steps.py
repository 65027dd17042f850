"""The steps of one execution: init, workspace, plan, apply of that plan, outputs."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio import activity

from activities.action_errors import ActionError, ActionFailedError
from activities.base import ActionContext
from activities.options.terraform import TerraformOptions
from activities.terraform import backend, failures, policy
from activities.terraform import plan_pins as pins
from activities.terraform.cli import ModuleCli, TerraformCli, UnreadableOutputError
from activities.terraform.commands import commands_in_plan
from activities.terraform.events import Events, Summary
from activities.terraform.execution_spec import ExecutionSpec
from activities.terraform.hcl import HclBlock, UnreadableFileError, read_folder
from activities.terraform.kept_states import KeptStates
from activities.terraform.locks import remove_left_lock
from activities.terraform.plan_pins import Changes, changes_in, digest_of
from activities.terraform.plugins import lock_plugin_cache
from activities.terraform.process import CommandCancelledError, CommandResult
from activities.terraform.registration import Registration
from activities.terraform.sensitive_values import SensitiveValues, sensitive_variables
from activities.terraform.state import (
    StateResource,
    filter_touched,
    possibly_made,
    resources_of,
)
from activities.terraform.working_directory import WorkingDirectory
from activities.terraform.workspaces import Workspace
from pao.core.failure_classes import BAD_CALL, NOT_ALLOWED, NOT_READY

CHANGES = 2
"""The exit code of ``plan -detailed-exitcode`` that says that there is something to apply."""

LEAST_STATE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A saved plan: whether it changes anything, what, and its identity."""

    changes: bool
    pin: dict[str, Any]
    summary: Summary
    outputs: frozenset[str]
    state_bytes: int
    """About how large the state will be."""


def worker_is_stopping() -> bool:
    """Return whether a cancellation comes from the worker's shutdown, not from a person."""
    return activity.in_activity() and activity.is_worker_shutdown()


class TerraformRun:
    """The steps of one execution; each raises the typed error of an action."""

    def __init__(  # noqa: PLR0913 -- what an execution consists of, each part named
        self,
        spec: ExecutionSpec,
        context: ActionContext,
        *,
        directory: WorkingDirectory,
        folder: Path,
        cli: TerraformCli,
        commit: str | None = None,
    ) -> None:
        self.spec = spec
        self._context = context
        self._options: TerraformOptions = context.options.terraform
        self._directory = directory
        self._folder = folder
        self._commit = commit
        self._module_digest = ""
        self._cli = ModuleCli(cli, folder)
        self._late_cli = self._cli.until(context.deadline)
        """For what is done after a failure, within the time kept for that."""
        self._sensitive = SensitiveValues(context.secrets)
        self.registration = Registration(spec, context)
        self.apply_begun = False
        """Whether an apply has begun."""
        self._lock = f"-lock-timeout={int(self._options.lock_seconds)}s"
        self.workspace = Workspace(
            name=spec.workspace,
            cli=self._cli,
            directory=directory,
            lock=self._lock,
            log=context.log,
        )
        self.kept = KeptStates(
            spec=spec,
            context=context,
            directory=directory,
            cli=self._cli,
            late_cli=self._late_cli,
            lock=self._lock,
        )

    async def initialize(self, *, changing: bool) -> None:
        """Write what the commands read, then init: backend, providers, modules.

        Before that the state is registered for this request; if nothing is to be changed, it is
        only checked that it is not another request's.
        """
        await policy.check_root(self.spec, self._directory, self._folder, self._options)
        files = await self._read_files()
        for name in sensitive_variables(files) & set(self.spec.variables):
            self._sensitive.learn(self.spec.variables[name])
        self._directory.write_variables(self.spec.variables)
        own = await asyncio.to_thread(digest_of, self._directory.module)
        written = backend.write(
            self.spec, self._directory, self._folder, files=files, options=self._options
        )
        registering = self.registration.register if changing else self.registration.check
        await registering(*self._backend(written, files))
        command = ["init", "-input=false", "-no-color"]
        if self._directory.backend.exists():
            command.append(f"-backend-config={self._directory.backend}")
        async with lock_plugin_cache(self._options.plugin_cache, self._cli.deadline):
            ended, _ = await self._cli.text(*command)
        if ended.code != 0:
            raise failures.step_failed("init", ended)
        backend.check(self.spec, self._directory, written=written)
        await policy.check_modules(self._directory, self._folder, self._options)
        called = await asyncio.to_thread(digest_of, self._directory.data / "modules")
        self._module_digest = hashlib.sha256(f"{own} {called}".encode()).hexdigest()

    def _backend(
        self, written: str | None, files: Mapping[str, HclBlock]
    ) -> tuple[str, Mapping[str, Any]]:
        """Return the type and the configuration of the backend that init will set up."""
        if written is not None:
            return written, self._directory.written_backend()
        return backend.declared_backend(files) or ("module", {"path": self.spec.source.address})

    async def _read_files(self) -> Mapping[str, HclBlock]:
        try:
            return await asyncio.to_thread(read_folder, self._folder)
        except UnreadableFileError as error:
            raise ActionFailedError(
                f"The module cannot be read: {error}. Nothing was changed. Fix the file "
                "(terraform validate), then retry.",
                judged=NOT_ALLOWED,
            ) from error

    async def plan(self, *, for_apply: bool = False) -> Plan:
        """Plan and save the plan; raises if it is not allowed, or not the approved one."""
        events = self._events()
        command = ["plan", "-json", "-input=false", "-detailed-exitcode", self._lock]
        command += [f"-var-file={self._directory.variables}", f"-out={self._directory.plan}"]
        command += ["-destroy"] if self.spec.destroy else []
        command += self._parallelism()
        since = datetime.now(UTC)
        try:
            ended = await self._cli.events(*command, into=events)
        except CommandCancelledError as cut:
            await self._unlock(cut.ended, events, since=since)
            raise
        if ended.code not in {0, CHANGES} or ended.late:
            lock = await self._unlock(ended, events, since=since)
            raise failures.step_failed("plan", ended, events.errors, lock=lock)
        read = await self._read_plan()
        policy.refuse_commands(commands_in_plan(read), self._options)
        summary = events.summary or Summary()
        before = resources_of(read.get("prior_state", {}).get("values", {}))
        await self.registration.note_after(len(before))
        counts = {"add": summary.add, "change": summary.change, "destroy": summary.destroy}
        message = f"Plan: {summary}"
        await self._context.log.info(message, counts)
        declared = read.get("configuration", {}).get("root_module", {}).get("outputs", {})
        plan = Plan(
            changes=ended.code == CHANGES,
            pin=self._pin(summary, changes := changes_in(read)),
            summary=summary,
            outputs=frozenset(declared),
            state_bytes=await asyncio.to_thread(_state_bytes, read),
        )
        self._check_outputs(plan)
        if self.spec.approved is not None and for_apply:
            first = self._context.attempt == 1
            pins.check(self.spec.approved, plan.pin, changes, first=first)
        return plan

    def _pin(self, summary: Summary, changes: Changes) -> dict[str, Any]:
        """Return the identity of this plan: a JSON value without secrets."""
        variables = self._context.secrets.hide_in(self.spec.variables)
        return {
            "source": str(self.spec.source),
            "commit": self._commit,
            "module": self._module_digest,
            "variables": pins.variables_digest(variables),
            "place": pins.state_place(self.spec, mark=self._context.mark),
            "summary": str(summary),
            "changes": dict(changes.by_address),
        }

    async def _read_plan(self) -> dict[str, Any]:
        try:
            ended, read = await self._cli.json("show", "-json", str(self._directory.plan))
        except UnreadableOutputError as error:
            raise ActionFailedError(
                f"The plan cannot be checked: {error}; nothing was changed. Make the module "
                "smaller, or split it between several actions.",
                judged=BAD_CALL,
            ) from error
        if ended.code != 0:
            raise failures.step_failed("show", ended)
        self._sensitive.learn_plan(read)
        return read

    def _check_outputs(self, plan: Plan) -> None:
        missing = sorted(set(self.spec.outputs or ()) - plan.outputs)
        if missing:
            raise ActionFailedError(
                f"The module has no output {', '.join(missing)}; nothing was changed. It has: "
                f"{', '.join(sorted(plan.outputs)) or 'none'}.",
                judged=BAD_CALL,
            )

    async def apply(self, plan: Plan) -> None:
        """Apply exactly the saved plan, with space reserved in case its backend is unavailable."""
        await self._reserve(plan)
        await self.registration.note(None)
        events = self._events()
        command = ["apply", "-json", "-input=false", self._lock, *self._parallelism()]
        self.apply_begun, since = True, datetime.now(UTC)
        try:
            ended = await self._cli.events(*command, str(self._directory.plan), into=events)
        except CommandCancelledError as cut:
            raise await self._cancelled_error(cut.ended, events, since=since) from None
        lock = await self._unlock(ended, events, since=since)
        await self.kept.save(events)
        if ended.code != 0:
            raise await self._apply_error(ended, events, lock=lock)

    async def _reserve(self, plan: Plan) -> None:
        try:
            await asyncio.to_thread(self._directory.reserve, plan.state_bytes)
        except OSError as error:
            raise ActionFailedError(
                f"The worker's temporary folder has no room for a state of {plan.state_bytes} "
                f"bytes ({error.strerror}), so that it could be lost; nothing was changed. Free "
                "space there, then retry.",
                judged=NOT_READY,
            ) from error

    async def _cancelled_error(
        self, ended: CommandResult, events: Events, *, since: datetime
    ) -> ActionError:
        """Clean up after a cancelled apply, and return its error."""
        error = await self._clean(ended, events, since=since)
        who = "The worker was stopped" if worker_is_stopping() else "The action was cancelled"
        error.message = f"{who}. {error.message}"
        return error

    async def _clean(self, ended: CommandResult, events: Events, *, since: datetime) -> ActionError:
        limit = asyncio.timeout(self._options.reading_seconds)
        try:
            async with limit:
                lock = await self._unlock(ended, events, since=since)
                await self.kept.save(events)
                return await self._apply_error(ended, events, lock=lock)
        except ActionError as error:
            return error
        except TimeoutError:
            return self._uncertain(ended, events)
        except CommandCancelledError:
            # Before Python 3.13 no subclass of CancelledError becomes a TimeoutError.
            if not limit.expired():
                raise
            return self._uncertain(ended, events)

    async def _unlock(self, ended: CommandResult, events: Events, *, since: datetime) -> str:
        """Remove the lock that a killed command has left; return a sentence about it."""
        if not ended.killed:
            return ""
        return await remove_left_lock(self._late_cli, events, since=since)

    async def _apply_error(self, ended: CommandResult, events: Events, *, lock: str) -> ActionError:
        """Return the error of a failed apply, with what it has left.

        That is what the state contains; for a killed command also what it reported.
        """
        where = self.kept.location
        try:
            present = await self.resources(late=True)
        except (UnreadableOutputError, ActionFailedError):
            return self._uncertain(ended, events, lock=lock)
        await self.registration.note_after(len(present))
        touched = events.touched | self.known_resources
        left = filter_touched(present, touched, own=self.spec.own)
        known = {resource.address for resource in present}
        lost = {address: id_ for address, id_ in events.made.items() if address not in known}
        partial = [resource.left_behind(where) for resource in left]
        if ended.killed:
            partial += possibly_made(lost, where)
        certain = not (ended.cut and worker_is_stopping())
        return failures.apply_failed(ended, events, partial, lock=lock, certain=certain)

    def _uncertain(self, ended: CommandResult, events: Events, *, lock: str = "") -> ActionError:
        partial = possibly_made(events.made, self.kept.location)
        return failures.apply_failed(ended, events, partial, lock=lock, certain=False)

    async def resources(self, *, late: bool = False) -> list[StateResource]:
        """Return what is in the state; raises UnreadableOutputError or ActionFailedError."""
        ended, read = await (self._late_cli if late else self._cli).json("show", "-json")
        if ended.code != 0:
            raise failures.step_failed("show", ended)
        values = read.get("values") or {}
        self._sensitive.learn_values(values)
        return resources_of(values)

    async def outputs(self) -> dict[str, Any]:
        """Return the outputs as Terraform prints them: value and whether it is sensitive."""
        try:
            ended, read = await self._cli.json("output", "-json")
        except UnreadableOutputError as error:
            raise failures.outputs_unreadable(f"{error}.") from error
        if ended.code != 0:
            raise failures.outputs_unreadable(ended.errors)
        for output in read.values():
            if output.get("sensitive"):
                self._sensitive.learn(output.get("value"))
        return read

    @property
    def known_resources(self) -> set[str]:
        """The addresses that earlier attempts are known to have left."""
        return {one.id for one in self._context.left if one.id is not None}

    def _events(self) -> Events:
        return Events(info=self._context.log.info, warning=self._context.log.warning)

    def _parallelism(self) -> list[str]:
        given = self.spec.parallelism
        return [] if given is None else [f"-parallelism={given}"]


def _state_bytes(plan: Mapping[str, Any]) -> int:
    """Estimate how large a state will be: its file is indented, and has more than the values."""
    return 2 * len(json.dumps(plan.get("planned_values"))) + LEAST_STATE_BYTES
