"""The options of `pao request retry` besides the reason: fields, consents, evidence."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pao.app.cli.completion import fields
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.field_files import read_config
from pao.app.cli.fields import parse_assignments

if TYPE_CHECKING:
    from catalog.forms import Form

FieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        "-f",
        metavar="NAME=VALUE",
        autocompletion=fields,
        help="A field, given once: lists with commas (or several times); @path takes the content "
        "of a file, @@ stands for a leading @. It replaces the value of "
        "--config.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOptions:
    """The given options of the command line."""

    field: FieldOption = None
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Corrected fields as YAML 1.2 or JSON; - for standard input."
        ),
    ] = None
    ask: Annotated[
        bool,
        typer.Option(
            "--ask", help="Show the fields of one request on a terminal, to correct them."
        ),
    ] = False
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="FIELD", help="Remove a field's value; repeatable."),
    ] = None
    mode: Annotated[
        str | None, typer.Option(help="manual: use the manual way of a hybrid item.")
    ] = None
    revise: Annotated[
        bool,
        typer.Option(
            "--revise", help="Update what an earlier attempt created to the corrected values."
        ),
    ] = False
    leave_behind: Annotated[
        bool,
        typer.Option(
            "--leave-behind",
            help="Move to another location; what may be left at the old one is listed.",
        ),
    ] = False
    accept_used: Annotated[
        bool,
        typer.Option(
            "--accept-used",
            help="Correct fields that completed actions have used; their results stay.",
        ),
    ] = False
    evidence: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="What you saw in the target where PAO cannot look: absent, present, or "
            "present={...} with the action's outputs as JSON.",
        ),
    ] = None

    def check(self) -> None:
        """Raise for invalid options before any request is touched."""
        self._mode()
        if self.evidence is not None:
            read_evidence(self.evidence)

    def body(self, form: Callable[[], "Form"]) -> dict[str, Any]:
        """Return the body of the call; reads the form only if there are fields."""
        return self.consents() | ({"fields": self.fields(form)} if self.has_fields else {})

    @property
    def has_fields(self) -> bool:
        """Whether fields are to be corrected."""
        return bool(self.field or self.unset or self.config)

    def consents(self) -> dict[str, Any]:
        """Return the body of the call without fields."""
        body: dict[str, Any] = {}
        if mode := self._mode():
            body["mode"] = mode
        if self.leave_behind:
            body["leaveBehind"] = True
        if self.accept_used:
            body["acceptUsed"] = True
        if self.evidence is not None:
            body["evidence"] = read_evidence(self.evidence)
        return body

    def _mode(self) -> str | None:
        if not self.revise:
            return self.mode
        if self.mode not in (None, "revise"):
            raise CliError(
                f"--revise and --mode {self.mode} cannot be combined; use one of them",
                exit_code=ExitCode.USAGE,
            )
        return "revise"

    def fields(self, form: Callable[[], "Form"]) -> dict[str, Any]:
        """Return the corrected fields; None removes a value. The form is read only if needed."""
        given = parse_assignments(self.field, form()) if self.field else {}
        unset = dict.fromkeys(self.unset or ())
        if both := sorted(given.keys() & unset.keys()):
            raise CliError(
                f"{', '.join(both)}: use either a value or --unset", exit_code=ExitCode.USAGE
            )
        return (read_config(self.config) if self.config else {}) | given | unset


def read_evidence(text: str) -> dict[str, Any]:
    """Return a person's evidence; raises ``CliError`` if it is invalid."""
    word, separator, outputs = text.partition("=")
    if word not in {"present", "absent"} or (separator and word == "absent"):
        raise CliError(
            "--evidence is absent, present, or present={...} with the outputs as JSON",
            exit_code=ExitCode.USAGE,
        )
    if not separator:
        return {"present": word == "present"}
    try:
        read = json.loads(outputs)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise CliError(
            'the outputs of --evidence must be a JSON object, as in present={"id": "7"}',
            exit_code=ExitCode.USAGE,
        )
    return {"present": True, "outputs": read}
