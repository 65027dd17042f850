"""The pages show commands that exist, with options that they have; every command is shown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pao.app.cli.main import app
from tests.support.pages import HISTORY, PAGES, blocks, names, text

COMMANDS: Any = typer.main.get_command(app)


def lines_with_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words behind each ``pao`` that the page shows."""
    shown = [line for block in blocks(page) for line in block.splitlines()]
    for line in [*shown, *names(page)]:
        found = re.match(r"(?:\$ )?(?:\w+=\S+ )*pao (.*)", line.strip())
        if found:
            yield re.sub(r"'[^']*'|\"[^\"]*\"|  #.*", "", found[1]).split()


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """Follow the words to their command; returns what is left of them. Raises KeyError."""
    command = COMMANDS
    while hasattr(command, "commands") and words and re.match(r"[a-z]", words[0]):
        command = command.commands[words[0].rstrip(",")]
        words = words[1:]
    return command, words


def options_of(command: Any) -> set[str]:
    return {name for one in (command, COMMANDS) for p in one.params for name in p.opts} | {"--help"}


@pytest.mark.parametrize("page", sorted(set(PAGES) - HISTORY), ids=lambda page: page.name)
def test_a_command_that_a_page_shows_exists_with_its_options(page: Path) -> None:
    for words in lines_with_commands(page):
        try:
            command, rest = command_of(words)
        except KeyError as error:
            pytest.fail(f"pao {' '.join(words)}: there is no command {error}")
        options = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert options <= options_of(command), f"pao {' '.join(words)}"


def leaves(command: Any, path: str) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield path
        return
    for name, one in command.commands.items():
        yield from leaves(one, f"{path} {name}")


def test_every_command_is_described() -> None:
    everything = "\n".join(map(text, PAGES))
    missing = [command for command in leaves(COMMANDS, "pao") if command not in everything]

    assert missing == []
