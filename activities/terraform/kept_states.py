"""The states of one action that no backend has accepted yet: found, written back, kept."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.base import ActionContext
from activities.terraform import backend, state_rescue, unwritten_states
from activities.terraform.cleanup import StateLocation, describe_location
from activities.terraform.cli import ModuleCli
from activities.terraform.events import Events
from activities.terraform.execution_spec import ExecutionSpec
from activities.terraform.process import CommandResult
from activities.terraform.state_location import place_digest
from activities.terraform.working_directory import WorkingDirectory, unwritten_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStates:
    """The unwritten states of one action, whichever process has kept them."""

    spec: ExecutionSpec
    context: ActionContext
    directory: WorkingDirectory
    cli: ModuleCli
    late_cli: ModuleCli
    lock: str

    @property
    def location(self) -> StateLocation:
        """Where the state is, for the person who cleans up; known after init."""
        return describe_location(
            self.spec,
            self.directory,
            program=self.cli.cli.name,
            backend=self.directory.backend_in_use() or backend.LOCAL,
        )

    @property
    def _place(self) -> str:
        return place_digest(self.spec)

    @property
    def _name(self) -> str:
        return state_rescue.state_name(self.context.mark, self._place)

    @property
    def _folder(self) -> Path:
        return unwritten_folder(self.context.options.terraform)

    async def find(self) -> list[Path]:
        """Find the states that earlier attempts, or others in the same place, could not write.

        Raises OutcomeUnknownError where an earlier attempt has left one for another place.
        """
        mark, place = self.context.mark, self._place
        found = await asyncio.to_thread(state_rescue.gather, self._folder, mark=mark, place=place)
        for file in found:
            if state_rescue.is_elsewhere(file, mark=mark, place=place):
                raise unwritten_states.elsewhere_error(file, location=self.location)
        return found

    async def write_back(self, kept: Sequence[Path]) -> None:
        """Write the states of earlier attempts whose backend was unavailable, before anything else.

        Without them the next plan would create everything a second time.
        """
        if (local := self._local_state_file()) and (
            aside := await asyncio.to_thread(unwritten_states.set_aside_if_damaged, local, kept)
        ):
            message = f"The file of the state was damaged; it is set aside as {aside}"
            await self.context.log.warning(message)
        for file in kept:
            await self._write(file, self.cli)
            await self.context.log.info("The state of the earlier attempt is written now")

    async def save(self, events: Events) -> None:
        """Keep a state that an apply could not write; write it again, for it may work now."""
        await asyncio.to_thread(self.directory.give_back_reserve)
        kept = await asyncio.to_thread(
            state_rescue.secure, self.directory.root, self._folder, self._name
        )
        if events.printed_state and not any(map(unwritten_states.read_kept, kept)):
            # Terraform could not write a file either, and has printed the state as a last resort.
            kept = [await asyncio.to_thread(self._keep_printed, events.printed_state, kept)]
        for file in kept:
            await self._write(file, self.late_cli)
            await self.context.log.warning("The state was written at the second try")

    def _keep_printed(self, state: dict[str, Any], torn: Sequence[Path]) -> Path:
        """Keep a whole state in place of files that a full disk has truncated."""
        content = json.dumps(state).encode()
        for file in torn:
            file.unlink(missing_ok=True)
        try:
            return state_rescue.keep(content, self._folder, self._name)
        except OSError:
            pass
        try:
            return self.directory.keep_printed(content)
        except OSError as error:
            raise unwritten_states.lost_error(state, str(error), location=self.location) from error

    async def _write(self, file: Path, cli: ModuleCli) -> None:
        async def call(*arguments: str) -> tuple[CommandResult, bytes]:
            lock = [self.lock] if arguments[1] == "push" else []
            return await cli.bytes(*arguments[:2], "-no-color", *lock, *arguments[2:])

        await unwritten_states.write_back(
            file, call, readable_copy=self.directory.readable_copy, location=self.location
        )
        await asyncio.to_thread(state_rescue.forget, file, self._folder)

    def _local_state_file(self) -> Path | None:
        """Return the file of the backend ``local`` in this workspace."""
        if self.directory.backend_in_use() != backend.LOCAL:
            return None
        folder = str(self.directory.backend_config().get("workspace_dir") or "")
        return Path(folder) / self.spec.workspace / "terraform.tfstate"
