"""What no page may ever do: complain in the console, or break its policy."""

from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, ConsoleMessage, WebError


@dataclass
class Watched:
    """Everything that the pages of one browser context said."""

    context: BrowserContext
    said: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: ["status of 422"])
    """Parts of messages that a test provokes; refused values are nothing unusual."""

    def __post_init__(self) -> None:
        self.context.on("console", self._console)
        self.context.on("weberror", self._error)

    def check(self) -> None:
        """Fail for what was seen."""
        unexpected = [one for one in self.said if not any(part in one for part in self.expected)]
        assert unexpected == [], unexpected

    def _console(self, message: ConsoleMessage) -> None:
        # A policy's violation is reported here as well.
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        self.said.append(f"uncaught: {error.error}")
