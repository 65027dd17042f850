"""The demo's output: headings, calls and responses, passed and failed checks."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

WIDEST = 88
"""Columns of headings and sentences; addresses are longer, and are never broken."""

NARROWEST = 20
INDENT = "  "
NAME_WIDTH = 10
DIM = "bright_black"


class DeviationError(Exception):
    """A result differed from the expected one; it has been shown already."""


class DemoOutput:
    """Shows one step after the other and collects the failed ones."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.steps = 0
        self.failed: list[str] = []

    @contextmanager
    def step(self, title: str, about: str) -> Iterator[None]:
        """Show a step; its first deviation ends it, and the demo continues with the next one."""
        self.steps += 1
        self.heading(f"{self.steps}. {title}")
        self.paragraph(about)
        try:
            yield
        except DeviationError:
            self.failed.append(title)
        except httpx.HTTPError as error:
            self._print_failed("every call is answered")
            self._print_pair("expected", "an answer", style="default")
            self._print_pair("actual", f"{type(error).__name__}: {error}", style="red")
            self.failed.append(title)

    def heading(self, title: str) -> None:
        """Start a new section."""
        self._console.print()
        rule = Rule(Text(title, style="bold"), align="left", style=DIM)
        self._console.print(rule, width=min(self._console.width, WIDEST))

    def paragraph(self, sentence: str) -> None:
        """Explain what happens, wrapped into the width of the terminal."""
        self._print_wrapped(Text(INDENT), sentence, style="default")

    def note(self, sentence: str) -> None:
        """Show what is prepared outside of PAO."""
        self._print_line("  ~ ", sentence, style=DIM)

    def call(self, what: str) -> None:
        """Show a call that is made."""
        self._print_line("  → ", what, style="cyan")

    def response(self, status: int, *words: object) -> None:
        """Show a response: the HTTP status and the words that are not empty."""
        text = "  ".join(str(word) for word in words if word)
        self._print_line("  ← ", f"{status} {text}", style="cyan")

    def fact(self, name: str, value: object) -> None:
        """Show a name with its value; nothing if the value is empty."""
        if value:
            self._print_pair(name, str(value), style="default")

    def link(self, name: str, url: object) -> None:
        """Show an address unbroken, so that it can be opened or copied."""
        if url:
            self._print(_label(name).append(str(url), style="blue underline"))

    def check(self, sentence: str, *, expected: object, actual: object) -> None:
        """Show ``sentence`` as passed; if ``actual`` differs, show both values and end the step.

        Raises DeviationError.
        """
        if actual == expected:
            self._print_line("  ✓ ", sentence, style="green")
            return
        self._print_failed(sentence)
        self._print_pair("expected", str(expected), style="default")
        self._print_pair("actual", str(actual), style="red")
        raise DeviationError(sentence)

    def lines(self, lines: list[str], *, style: str = "default") -> None:
        """Show lines unchanged, to be copied."""
        for line in lines:
            self._print(Text(f"{INDENT}{line}" if line else "", style=style))

    def summary(self) -> None:
        """Show at the end whether every step passed."""
        self._console.print()
        if not self.failed:
            text = f"✓ All {self.steps} steps passed."
            self._print(Text(text, style="bold green"))
            return
        text = f"✗ {len(self.failed)} of {self.steps} steps failed:"
        self._print(Text(text, style="bold red"))
        self.lines(self.failed, style="red")

    def _print_failed(self, sentence: str) -> None:
        self._print_line("  ✗ ", sentence, style="bold red")

    def _print_line(self, sign: str, text: str, *, style: str) -> None:
        self._print_wrapped(Text(sign, style=style), text, style="default")

    def _print_pair(self, name: str, value: str, *, style: str) -> None:
        self._print_wrapped(_label(name), value, style=style)

    def _print_wrapped(self, begin: Text, text: str, *, style: str) -> None:
        """Print ``text`` behind ``begin``; further lines are aligned with the first one."""
        room = max(min(self._console.width, WIDEST) - len(begin), NARROWEST)
        lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
        between = f"\n{' ' * len(begin)}"
        self._print(begin.append(between.join(lines), style=style))

    def _print(self, text: Text) -> None:
        # Addresses and commands may be longer: the terminal breaks them, and copies them whole.
        self._console.print(text, soft_wrap=True)


def _label(name: str) -> Text:
    return Text(f"    {name:<{NAME_WIDTH}} ", style=DIM)
