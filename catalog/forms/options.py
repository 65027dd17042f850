"""Where the choices of a field come from when they are not in the document."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from catalog.forms.base import Model
from catalog.secret_names import secret_names

MOST_OPTIONS = 1_000
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
# A template is one unit, whatever signs are in it; none is tried in two ways. One that does not end
# is taken with all that follows, or each of thousands would look for its end.
_AUTHORITY = re.compile(r"(?:\{\{.*?\}\}|\{\{[^/?#]*+|[^/?#])*+", re.DOTALL)
_PORT = re.compile(r"(?:[0-9]|\{\{.*?\}\})*+", re.DOTALL)
Scalar = str | int | float | bool


class WhenAway(StrEnum):
    """What becomes of a value while its source does not answer."""

    REFUSE = "refuse"
    ALLOW = "allow"


class ListOptions(Model):
    """The rows of a CatalogList."""

    source: Literal["list"] = Field(alias="from", description="A list of this catalog.")
    list: str = Field(min_length=1, description="Id of a CatalogList.")
    where: str | None = Field(
        None, description="An expression over row and fields; only rows for which it is true."
    )


class TeamOptions(Model):
    """The teams of the person who fills in the form."""

    source: Literal["teams"] = Field(alias="from", description="The caller's own teams.")


class ResourceOptions(Model):
    """Living resources that the person may see."""

    source: Literal["resources"] = Field(alias="from", description="Resources made by PAO.")
    type: str = Field(min_length=1, description="Type of the resources.")


class HttpOptions(Model):
    """What an HTTP interface answers, asked by the worker."""

    source: Literal["http"] = Field(alias="from", description="An HTTP interface.")
    url: str = Field(min_length=1, description="Address; values in it are percent-encoded.")
    query: dict[str, Scalar | None] = Field(default_factory=dict, description="Parameters.")
    headers: dict[str, Scalar | None] = Field(default_factory=dict, description="Headers.")
    authentication: dict[str, Any] | None = Field(
        None, description="As that of a rest-api action; secrets.<NAME> in it."
    )
    select: str = Field("$[*]", description="JSONPath of the options in the answer.")
    value: str = Field("$", description="JSONPath of the value within an option.")
    label: str | None = Field(None, description="JSONPath of what a person sees.")
    cache: str | None = Field(None, description="How long an answer is kept.", examples=["5m"])
    when_away: WhenAway = Field(
        WhenAway.REFUSE, description="refuse, or allow: take any text while nothing answers."
    )

    @property
    def host(self) -> str:
        """Where the choices come from, as far as the document says it itself.

        Nothing of a password shows, not even of one with a sign that ends a host: what follows
        the colon before an ``@`` may be one.
        """
        address = _SCHEME.sub("", self.url)
        host, rest = _split_host(address)
        name, _, port = host.partition(":")
        if port and "@" in rest:
            host = name if _PORT.fullmatch(port) else _split_host(address.rpartition("@")[2])[0]
        return host


def _split_host(address: str) -> tuple[str, str]:
    """Return the host of an address without its scheme, and what follows it."""
    found = _AUTHORITY.match(address)
    end = found.end() if found else 0
    return address[:end].rpartition("@")[2], address[end:]


def _no_list(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError("options names a source; values to choose from are an enum")  # noqa: TRY004
    return value


Options = Annotated[
    Annotated[
        ListOptions | TeamOptions | ResourceOptions | HttpOptions, Field(discriminator="source")
    ],
    BeforeValidator(_no_list),
]


def describe_options(options: Any, depends_on: list[str]) -> dict[str, Any]:
    """Return what a form says of a source: never an address, a header or a credential."""
    description: dict[str, Any] = {"from": options.source, "dependsOn": depends_on}
    if isinstance(options, HttpOptions):
        description["whenAway"] = options.when_away.value
    if isinstance(options, ListOptions):
        description["list"] = options.list
    if isinstance(options, ResourceOptions):
        description["type"] = options.type
    return description


def options_origin(options: Any) -> str:
    """Return where choices come from, for those who write the form: secrets by their names."""
    match options:
        case HttpOptions():
            call = options.model_dump(include={"url", "query", "headers", "authentication"})
            named = [f"{name} (PAO_SECRET_{name.upper()})" for name in secret_names(call)]
            word = "secret" if len(named) == 1 else "secrets"
            return f"http {options.host}" + (f" with the {word} {', '.join(named)}" * bool(named))
        case ListOptions():
            return f"list {options.list}"
        case ResourceOptions():
            return f"resources {options.type}, of which PAO keeps none yet"
    return str(options.source)


def parse_options(description: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return options from what ``describe_options`` returned, for a client that checks a form.

    It depends on the same fields, and nothing else of it is known; None for a source that is not
    known here.
    """
    reads = [f"fields.{name}" for name in description.get("dependsOn") or ()]
    match description.get("from"):
        case "http":
            url = "/".join(("https://service.invalid", *(f"{{{{{name}}}}}" for name in reads)))
            return {"from": "http", "url": url, "whenAway": description.get("whenAway", "refuse")}
        case "list":
            where = {"where": f"{{{{[{', '.join(reads)}]}}}}"} if reads else {}
            return {"from": "list", "list": description["list"], **where}
        case "teams":
            return {"from": "teams"}
        case "resources":
            return {"from": "resources", "type": description["type"]}
    return None


def as_choices(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as value and label, each value once, at most as many as a field may offer."""
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        value = row.get("value")
        if isinstance(value, str | int | float | bool) and len(found) < MOST_OPTIONS:
            label = row.get("label")
            choice = {"value": value, "label": str(value if label is None else label)}
            found.setdefault((type(value) is bool, value), choice)
    return list(found.values())
