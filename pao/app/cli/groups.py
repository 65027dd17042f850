"""The root group of the commands; it suggests commands of other groups."""

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup

from catalog.suggestions import nearest
from pao.app.cli.commands import Commands
from pao.app.cli.option_errors import reworded_errors


class Groups(TyperGroup):
    """The root of the commands; for an unknown name it suggests a similar command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"commands": Commands()})

    def list_commands(self, _ctx: Any) -> list[str]:
        """Return the names; a command is imported only on access."""
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command; for an unknown one, a usage error suggests another."""
        if args and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            self._suggest(ctx, args[0])
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the options before a command's name."""
        with reworded_errors():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of a command, and run it."""
        with reworded_errors():
            return super().invoke(ctx)

    def _suggest(self, ctx: Any, given: str) -> None:
        if given.startswith("-") or nearest(given, self.commands):
            return
        paths = list(_paths(self))
        name = given if any(path[-1] == given for path in paths) else None
        name = name or nearest(given, {path[-1] for path in paths})
        meant = [f"'pao {' '.join(path)}'" for path in paths if path[-1] == name]
        if meant:
            ctx.fail(f"No such command {given!r}. Did you mean {' or '.join(meant)}?")


def _paths(group: TyperGroup) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from ((name, *rest) for rest in _paths(command))
        else:
            yield (name,)
