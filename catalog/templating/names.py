"""The names that exist: the scopes and their members, and what each notation calls them."""

from collections.abc import Iterable

from catalog.templating.contract import Names

ALIASES = {"env": "environment", "output": "outputs"}
ESCALATION_SCOPES = frozenset({"bundle", "failure"})
SCOPES = frozenset(
    {
        "fields",
        "metadata",
        "request",
        "system",
        "environment",
        "outputs",
        "fulfillment",
        "components",
        "secrets",
        *ALIASES,
        *ESCALATION_SCOPES,
    }
)
REQUEST_MEMBERS = ("id", "title", "timestamp", "correlation_id", "user", "data")
USER_MEMBERS = ("id", "email", "teams")
SYSTEM_MEMBERS = (
    "timestamp",
    "datetime",
    "date",
    "time",
    "uuid",
    "hostname",
    "region",
    "environment",
    "account",
)
_REQUEST: dict[tuple[str | int, ...], tuple[str, ...]] = {
    (): REQUEST_MEMBERS,
    ("user",): USER_MEMBERS,
}
GO_SCOPES = ("User", "System", "Fulfillment")

# Where a member of Go's .System is: its scope and the way from there.
GO_SYSTEM: dict[str, tuple[str, ...]] = {
    "RequestID": ("request", "id"),
    "CorrelationID": ("request", "correlation_id"),
    "UserID": ("request", "user", "id"),
    "UserEmail": ("request", "user", "email"),
    "UserTeams": ("request", "user", "teams"),
    "Timestamp": ("system", "timestamp"),
    "Date": ("system", "date"),
    "Time": ("system", "time"),
    "DateTime": ("system", "datetime"),
    "UUID": ("system", "uuid"),
    "Hostname": ("system", "hostname"),
    "Region": ("system", "region"),
    "Environment": ("system", "environment"),
    "Account": ("system", "account"),
}


def scopes_of(names: Names) -> frozenset[str]:
    """Return the scopes that exist at a place, aliases included."""
    known = SCOPES if names.escalation else SCOPES - ESCALATION_SCOPES
    return known | {"row"} if names.row else known


def known_members(scope: str, path: tuple[str | int, ...], names: Names) -> Iterable[str] | None:
    """Return the members that exist at this path within a scope, or None if any may."""
    if scope == "request":
        return _REQUEST.get(path)
    if path:
        return None
    if scope == "fields":
        return names.fields
    known: dict[str, Iterable[str]] = {
        "system": SYSTEM_MEMBERS,
        "environment": names.environment,
        "outputs": names.outputs,
        "components": names.components,
    }
    return known.get(scope)


def go_fields(names: Names) -> Iterable[tuple[str, str]]:
    """Return every field as Go's .User names it, with the field's id."""
    for group, fields in names.groups.items():
        for field in fields:
            yield f"{group}_{field}".replace("-", "_"), field
