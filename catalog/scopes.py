"""The scopes that templates read, and the names in them: the same on every attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from catalog.bundle import CatalogBundle
from catalog.forms import FieldDefinition
from catalog.forms.passwords import passwords_among
from catalog.model import CatalogDocument
from catalog.templating import Names, SecretValue
from pao.core.payloads.context import RequestContext


@dataclass(frozen=True, slots=True)
class ScopeContext:
    """What templates may know of the installation; only listed environment variables show."""

    hostname: str = "pao"
    region: str = ""
    environment: str = ""
    account: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def build_scopes(  # noqa: PLR0913 -- one part per scope that is not the request itself.
    context: RequestContext,
    scope_context: ScopeContext,
    *,
    form: Sequence[FieldDefinition],
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return every scope of a request's templates.

    ``secrets`` holds the opened values of password fields, by their paths; they stay tainted in
    every template.
    A field of the form without a value is null, in the rows of a list as well.
    """
    fields = _with_nulls(form, _with_secrets(form, context.fields, secrets))
    return {
        "fields": fields,
        "metadata": context.item.definition.get("metadata") or {},
        "request": _request(context, fields),
        "system": _system(context, scope_context),
        "environment": dict(scope_context.variables),
        "outputs": {key: dict(value) for key, value in outputs.items()},
        "fulfillment": dict(published or {}),
        "components": dict(context.components),
        "secrets": {},
    }


def _with_secrets(
    form: Sequence[FieldDefinition], values: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, Any]:
    tainted = {path: SecretValue(value) for path, value in secrets.items()}
    passwords = passwords_among(form)
    in_rows = passwords.values_in(values).keys() - passwords.fields
    own = {name: value for name, value in tainted.items() if name not in in_rows}
    return passwords.replace(values, tainted.get) | own


def _with_nulls(form: Sequence[FieldDefinition], values: dict[str, Any]) -> dict[str, Any]:
    fields = dict.fromkeys(one.id for one in form) | values
    for one in form:
        rows = fields[one.id]
        if one.fields and isinstance(rows, list):
            empty = dict.fromkeys(inner.id for inner in one.fields)
            fields[one.id] = [empty | row if isinstance(row, dict) else row for row in rows]
    return fields


def _request(context: RequestContext, fields: dict[str, Any]) -> dict[str, Any]:
    requester = context.requester
    return {
        "id": context.request_id,
        "title": context.title or context.item.name,
        "timestamp": context.submitted_at,
        "correlation_id": context.correlation_id,
        "user": {"id": requester.id, "email": requester.email, "teams": list(requester.teams)},
        "data": fields,
    }


def _system(context: RequestContext, scope_context: ScopeContext) -> dict[str, Any]:
    submitted = datetime.fromisoformat(context.submitted_at).astimezone(UTC)
    system = system_scope(scope_context, submitted)
    return {**system, "uuid": str(uuid5(UUID(context.request_id), ""))}


def system_scope(scope_context: ScopeContext, at: datetime) -> dict[str, Any]:
    """Return the scope ``system`` at a moment in UTC, without what depends on a request."""
    return {
        "timestamp": int(at.timestamp()),
        "datetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "date": at.strftime("%Y-%m-%d"),
        "time": at.strftime("%H:%M:%S"),
        "hostname": scope_context.hostname,
        "region": scope_context.region,
        "environment": scope_context.environment,
        "account": scope_context.account,
    }


def names_for(
    item: CatalogDocument, scope_context: ScopeContext | None, earlier: tuple[str, ...] = ()
) -> Names:
    """Return the names that templates of this item may use after the given actions."""
    return Names(
        groups={group.id: tuple(field.id for field in group.fields) for group in item.groups},
        outputs=earlier,
        environment=tuple(scope_context.variables) if scope_context else (),
        **_of_bundle(item),
    )


def _of_bundle(item: CatalogDocument) -> dict[str, Any]:
    """Return what the own actions of a bundle may name besides: all components, and its own id."""
    if not isinstance(item, CatalogBundle):
        return {}
    return {"components": tuple(one.id for one in item.components), "item": item.id}
