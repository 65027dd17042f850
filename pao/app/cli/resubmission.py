"""`pao request resubmit`: submits the values of an earlier request again."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.field_files import FieldFile
from pao.app.cli.fields import read_form
from pao.app.cli.requests import RequestArgument
from pao.app.cli.submission import (
    RequestSubmission,
    SubmissionOptions,
    check_idempotency_key,
    metadata_of,
    submit_fields,
)
from pao.app.cli.terminal import clean, segment
from pao.core.names import MASK

if TYPE_CHECKING:
    from catalog.forms import Form
    from pao.app.cli.http import Api

app = typer.Typer()


@command(app, "resubmit")
def resubmit(
    cli: CommandContext,
    *,
    request_id: RequestArgument,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="FIELD", help="Leave a field's value out; repeatable."),
    ] = None,
    options: SubmissionOptions,
) -> None:
    """Submit a new request with the values, tags and note of an earlier one.

    --field and --config replace values. Secrets are asked for again, because they cannot be read.
    Exits with 1 when the new request failed.
    """
    key = check_idempotency_key(options.idempotency_key)
    with cli.api() as api:
        old = api.get(f"/requests/{segment(request_id)}")
        item = old["catalogItemId"]
        document = api.get(f"/catalog/items/{segment(item)}/schema")
        form = read_form(document)
        given = options.given(form)
        earlier = _EarlierRequest(form, old.get("fields") or {})
        _note_changes(cli, old, document, earlier)
        chosen = earlier.values(api, item) | given.fields
        fields = {name: value for name, value in chosen.items() if name not in (unset or ())}
        secrets = earlier.secrets - given.fields.keys() - set(unset or ())
        if secrets and not cli.interactive:
            raise _unreadable(secrets)
        if not cli.interactive:
            fields = _applicable(cli, api, item, fields, given_names=given.fields.keys())
        before = old.get("metadata") or {}
        note = before.get("note") if options.note is None else options.note
        metadata = metadata_of(options.tag or before.get("tags"), note)
        submission = RequestSubmission(cli, api, item, metadata, key)
        to_ask = FieldFile(fields, (*sorted(secrets), *given.unanswered))
        submit_fields(submission, form, to_ask, options)


@dataclass(frozen=True, slots=True)
class _EarlierRequest:
    """The values of the earlier request, with the current form."""

    form: "Form"
    fields: Mapping[str, Any]

    @property
    def secrets(self) -> set[str]:
        """The fields with a secret in them, which the service does not show."""
        return {
            name
            for name, value in self.fields.items()
            if name in self.form.fields and _has_secret(value)
        }

    @property
    def removed_fields(self) -> list[str]:
        """The fields that the form no longer has."""
        return [name for name in self.fields if name not in self.form.fields]

    def values(self, api: "Api", item: str) -> dict[str, Any]:
        """Return the values to send again, without secrets and what the form fills in itself."""
        passwords = self.form.passwords
        values = {
            name: value
            for name, value in self.fields.items()
            if (field := self.form.fields.get(name)) is not None
            and value is not None
            and not field.read_only
            and (name not in self.secrets or name in passwords.in_rows)
        }
        # The rows of a list stay; only their passwords are asked for again.
        values = passwords.without(values)
        computed = {name for name in values if self.form.fields[name].template is not None}
        if not computed:
            return values
        # Computed values are computed again; what a person entered instead stays.
        rest = {name: value for name, value in values.items() if name not in computed}
        found = _evaluate_form(api, item, rest)["values"]
        return rest | {name: values[name] for name in computed if values[name] != found.get(name)}


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list):
        return any(map(_has_secret, value))
    return bool(value == MASK)


def _note_changes(
    cli: CommandContext,
    old: Mapping[str, Any],
    document: Mapping[str, Any],
    earlier: _EarlierRequest,
) -> None:
    item, before, now = old["catalogItemId"], old.get("catalogItemVersion"), document.get("version")
    if now and before != now:
        cli.note(f"{item} is version {clean(now)} now; the request was for {clean(before)}.")
    for name in earlier.removed_fields:
        cli.note(f"The form no longer has {clean(name)}; its value is left out.")


def _applicable(
    cli: CommandContext,
    api: "Api",
    item: str,
    fields: dict[str, Any],
    *,
    given_names: Collection[str],
) -> dict[str, Any]:
    """Return the fields without earlier values that no longer apply; given ones are refused."""
    hidden = set(_hidden(api, item, fields)) - set(given_names)
    for name in sorted(hidden):
        cli.note(f"{name} does not apply with these values; it is left out.")
    return {name: value for name, value in fields.items() if name not in hidden}


def _hidden(api: "Api", item: str, fields: dict[str, Any]) -> Iterator[str]:
    errors = _evaluate_form(api, item, fields)["errors"]
    return (one["field"] for one in errors if one["constraint"] == "hidden")


def _evaluate_form(api: "Api", item: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the service's evaluation of the form with these values."""
    path = f"/catalog/items/{segment(item)}/form"
    document: dict[str, Any] = api.post(path, {"fields": dict(fields)}).document
    return document


def _unreadable(secrets: set[str]) -> CliError:
    options = " ".join(f"--field {name}=@FILE" for name in sorted(secrets))
    return CliError(
        "The secrets of the earlier request cannot be read",
        exit_code=ExitCode.USAGE,
        details=tuple(f"{name}: give it again" for name in sorted(secrets)),
        hint=f"Add {options}, or --unset to leave one out.",
    )
