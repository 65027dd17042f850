"""Correcting the fields of a failed request on a terminal, before it is retried."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pao.app.cli.context import CommandContext
from pao.app.cli.retry_options import RetryOptions

if TYPE_CHECKING:
    from catalog.forms import Form
    from pao.app.cli.http import Api

Send = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(slots=True)
class CorrectionPrompt:
    """The corrected fields of a request, asked for until the service accepts them."""

    cli: CommandContext
    api: "Api"
    request: dict[str, Any]
    form: "Form"
    options: RetryOptions
    reason: str
    _: KW_ONLY
    dry: bool = False
    # The fields that are shown with the values of the request.
    _shown: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """What is done with the fields."""
        return "Check" if self.dry else "Retry"

    def run(self, send: Send) -> dict[str, Any]:
        """Return what ``send`` returns for the fields that differ from those of the request.

        With ``--ask`` all fields are shown first, and can be changed; otherwise only invalid ones
        are asked for.
        """
        from pao.app.cli.prompts.answers import Answers  # noqa: PLC0415 -- forms take 0.3 s to load
        from pao.app.cli.prompts.form_prompt import FormPrompt  # noqa: PLC0415 -- as above
        from pao.app.cli.prompts.service import FormValidator, ItemService  # noqa: PLC0415 -- as above

        today = datetime.now(UTC).date()
        service = ItemService(self.api, self.request["catalogItemId"])
        judge = FormValidator(self.form, today, service)
        self._shown = judge(self.request["fields"]).visible
        given, stored = self.options.fields(lambda: self.form), self.request["fields"]
        answers = Answers(self.form, given, judge, expected=(), stored=stored)
        interview = FormPrompt(self.cli, answers, service, today, self, review=self.options.ask)
        return interview.run(lambda fields: send(self.saved_fields(fields)))

    def saved_fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that differ from those of the request; None removes a value."""
        stored = self.request["fields"]
        changed = {name: value for name, value in fields.items() if stored.get(name) != value}
        gone = [name for name in self._shown if stored.get(name) is not None]
        return changed | {name: None for name in gone if name not in fields}

    def command(self, path: str) -> list[str]:
        """Return the command that retries with saved corrections."""
        ident = str(self.request["id"])
        return ["pao", "request", "retry", ident, "--reason", self.reason, "--config", path]
