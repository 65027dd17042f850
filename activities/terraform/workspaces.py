"""The workspace of one execution: selected, created if needed, removed after a plan only."""

from dataclasses import dataclass

from activities.log import ActionLog
from activities.terraform import backend, failures
from activities.terraform.cli import ModuleCli
from activities.terraform.working_directory import WorkingDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One workspace of the backend that init has set up; ``lock`` is how long to wait for it."""

    name: str
    cli: ModuleCli
    directory: WorkingDirectory
    lock: str
    log: ActionLog

    async def use(self, *, create: bool) -> bool:
        """Select it; return False if it does not exist and may not be created."""
        if not create and not await self.exists():
            return False
        if not backend.has_workspaces(self.directory):
            return True
        ended, _ = await self.cli.text("workspace", "select", "-no-color", "-or-create", self.name)
        if ended.code != 0:
            raise failures.step_failed("workspace select", ended)
        return True

    async def exists(self) -> bool:
        """Return whether it exists; a backend without workspaces has only the default one."""
        if not backend.has_workspaces(self.directory):
            return True
        ended, listed = await self.cli.text("workspace", "list", "-no-color")
        if ended.code != 0:
            raise failures.step_failed("workspace list", ended)
        return self.name in {line.strip("* ").strip() for line in listed.splitlines()}

    async def remove(self) -> None:
        """Remove a workspace that was created for a plan; one with a state stays."""
        await self.cli.text("workspace", "select", "-no-color", "default")
        ended, _ = await self.cli.text("workspace", "delete", "-no-color", self.lock, self.name)
        if ended.code != 0:
            message = f"The empty workspace {self.name} could not be removed"
            await self.log.warning(message)
