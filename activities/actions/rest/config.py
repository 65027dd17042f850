"""The configuration of rest-api, as catalog documents write it; every text may be a template."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from activities.base import CamelCaseConfig
from activities.config_values import (
    Address,
    HeaderName,
    Headers,
    HeaderText,
    PlacedError,
    require_header_name,
    require_header_text,
    without_blank,
)
from catalog import json_paths
from catalog.json_paths import JSON_PATH
from pao.runtime.model_errors import message_of

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Scalar = str | int | float | bool
# What repeats harmlessly, by HTTP's own definition.
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
OWN_OUTPUTS = frozenset({"status", "body", "bodyTruncated"})
_TRANSPORT_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Endpoint(CamelCaseConfig):
    """What is called."""

    url: Address = Field(
        min_length=1,
        description="Address; values in it are percent-encoded",
        examples=["https://dns.example.com/zones/{{fields.zone}}/records"],
    )
    method: Method = Field(default="POST", description="HTTP method")


class File(CamelCaseConfig):
    """A part of a multipart body that is a file."""

    filename: str
    content: str
    content_type: HeaderText = "application/octet-stream"


class CallBody(CamelCaseConfig):
    """What is sent. Text for json is a JSON template; mappings are written as the type wants."""

    type: Literal["json", "form", "multipart", "text", "xml"] = "json"
    content_template: Any = Field(
        description="A text, or for json, form and multipart a mapping. A file of multipart is"
        " {filename, content, contentType}, the type application/octet-stream unless said. null,"
        " and a file whose content is null, are left out; if nothing is left, no body is sent"
    )

    @model_validator(mode="after")
    def _check_content(self) -> "CallBody":
        mapping = isinstance(self.content_template, dict)
        if self.type == "multipart" and not mapping:
            raise ValueError("a multipart body is a mapping from names to texts or files")
        if self.type == "multipart":
            _require_files(self.content_template)
        if self.type in {"text", "xml"} and not isinstance(self.content_template, str):
            raise ValueError(f"a body of type {self.type} is a text")
        if self.type == "form" and not (mapping or isinstance(self.content_template, str)):
            raise ValueError("a form is a mapping from names to values, or a text")
        return self


def is_left_out(part: Any) -> bool:
    """Return whether a part of a multipart body is null, or a file without content."""
    return part is None or (isinstance(part, dict) and part.get("content", "") is None)


def _require_files(parts: dict[str, Any]) -> None:
    for name, part in parts.items():
        if isinstance(part, dict) and not is_left_out(part):
            try:
                File.model_validate(part)
            except ValidationError as error:
                found = error.errors(include_url=False, include_input=False)[0]
                place = ("contentTemplate", name, *found["loc"])
                raise PlacedError(place, message_of(found)) from error


class NoAuthentication(CamelCaseConfig):
    """The target asks for nothing."""

    type: Literal["none"] = "none"


def _refuse_colon(name: str) -> str:
    if ":" in name:
        raise ValueError("it holds a colon, after which a server reads the password (RFC 7617)")
    return name


class Basic(CamelCaseConfig):
    """User and password."""

    type: Literal["basic"]
    username: str = Field(description="May be a template; holds no colon")
    password: str = Field(description="A template: secrets.<NAME>")

    @field_validator("username")
    @classmethod
    def _check_username(cls, name: str) -> str:
        return _refuse_colon(name)


class Bearer(CamelCaseConfig):
    """A token."""

    type: Literal["bearer"]
    token: HeaderText = Field(description="A template: secrets.<NAME>")


class ApiKey(CamelCaseConfig):
    """A key in a header, or in the query where the target knows no better."""

    type: Literal["api-key"]
    name: str = Field(default="X-API-Key", description="Name of the header or parameter")
    key: str = Field(description="A template: secrets.<NAME>")
    place: Literal["header", "query"] = "header"

    @model_validator(mode="after")
    def _check_header(self) -> "ApiKey":
        if self.place == "query":
            return self
        for part, require in (("name", require_header_name), ("key", require_header_text)):
            try:
                require(getattr(self, part))
            except ValueError as error:
                raise PlacedError((part,), str(error)) from error
        return self


class ClientCredentials(CamelCaseConfig):
    """OAuth 2 client credentials: a token is fetched, kept, and renewed once on a 401."""

    type: Literal["oauth2"]
    token_url: Address = Field(description="Address of the token endpoint")
    client_id: str = Field(description="The client's id")
    client_secret: str = Field(description="A template: secrets.<NAME>")
    scope: str | None = Field(default=None, description="Scope of the token")
    audience: str | None = Field(default=None, description="Audience of the token")
    style: Literal["basic", "body"] = Field(
        default="basic",
        description="Whether the client's credentials are sent in the header or the body",
    )

    @model_validator(mode="after")
    def _check_client_id(self) -> "ClientCredentials":
        if self.style == "basic":
            try:
                _refuse_colon(self.client_id)
            except ValueError as error:
                raise PlacedError(("clientId",), str(error)) from error
        return self


class AwsSignature(CamelCaseConfig):
    """An AWS signature by keys that the document names; never the worker's own."""

    type: Literal["aws-sigv4"]
    access_key_id: HeaderText = Field(description="The access key's id")
    secret_access_key: str = Field(description="A template: secrets.<NAME>")
    session_token: HeaderText | None = Field(
        default=None, description="Session token of temporary keys"
    )
    region: HeaderText = Field(description="AWS region", examples=["eu-central-1"])
    service: HeaderText = Field(default="execute-api", description="AWS service that is called")


Authentication = Annotated[
    NoAuthentication | Basic | Bearer | ApiKey | ClientCredentials | AwsSignature,
    Field(discriminator="type"),
]


def _check_json_path(path: str) -> str:
    try:
        json_paths.check(path)
    except json_paths.PathError as error:
        raise ValueError(f"the JSONPath {path[:200]!r} {error}") from error
    return path


# The schema names the format, so that the catalog's rules find a wrong path in the document.
_JSON_PATH = {"type": "string", "format": JSON_PATH}
JsonPath = Annotated[
    str, AfterValidator(_check_json_path), Field(json_schema_extra={"format": JSON_PATH})
]
"""A JSONPath that is evaluated within bounds; its patterns are RE2's."""


class Extract(CamelCaseConfig):
    """One output that is read from the answer."""

    path: JsonPath = Field(
        description="JSONPath (RFC 9535); patterns of search() and match() are for RE2",
        examples=["$.id"],
    )
    type: Literal["any", "string", "integer", "number", "boolean", "object", "array"] = "any"
    required: bool = True


class Response(CamelCaseConfig):
    """What is read from the answer."""

    extract: dict[str, Annotated[str, WithJsonSchema(_JSON_PATH)] | Extract] = Field(
        default_factory=dict, description="Name of an output to its JSONPath"
    )

    @field_validator("extract")
    @classmethod
    def _check_names(cls, given: dict[str, str | Extract]) -> dict[str, str | Extract]:
        if taken := sorted(OWN_OUTPUTS & given.keys()):
            raise ValueError(f"{', '.join(taken)} is an output of every call; use another name")
        for path in given.values():
            if isinstance(path, str):
                _check_json_path(path)
        return given


class AnswerCondition(CamelCaseConfig):
    """Holds where the first value at a JSONPath is one of these, or where there is any."""

    path: JsonPath = Field(description="JSONPath", examples=["$.status"])
    values: tuple[Scalar, ...] = Field(default=(), description="Default: any value but null")


class StatusUrl(CamelCaseConfig):
    """Where the answer names the status address."""

    header: str | None = Field(
        default=None, description="Header that contains it", examples=["Location"]
    )
    path: JsonPath | None = Field(default=None, description="JSONPath into the answer's body")


class Asynchronous(CamelCaseConfig):
    """How a 202 is followed until the target is done."""

    status_url: StatusUrl = Field(default_factory=lambda: StatusUrl(header="Location"))
    until: AnswerCondition
    fail_when: AnswerCondition | None = None
    every: float = Field(default=5.0, ge=0.05, le=600, description="Seconds between polls")
    timeout: float = Field(default=1800.0, gt=0, le=604_800, description="Total seconds")


class LookConfig(CamelCaseConfig):
    """How an earlier effect is found before anything is done a second time."""

    url: Address = Field(min_length=1, description="Address to read (GET)")
    query: dict[str, Scalar | None] = Field(default_factory=dict)
    found: AnswerCondition = Field(
        description="Holds where the effect exists. A 404, 410 or 204 means that it does not; any "
        "other answer that is not JSON proves nothing"
    )
    lag: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description="Seconds by which what is read there may be behind: for so long after an "
        "attempt of unknown outcome, finding nothing proves nothing",
    )


class RestApiConfig(CamelCaseConfig):
    """Configuration of a rest-api action."""

    endpoint: Endpoint = Field(description="The address to call")
    headers: Headers = Field(default_factory=dict, description="Headers; null values are left out")
    query: dict[str, Scalar | list[Scalar] | None] = Field(
        default_factory=dict,
        description="Query parameters; a list repeats the name, null values are left out",
    )
    body: CallBody | None = Field(default=None, description="The request body")
    authentication: Authentication = Field(
        default=NoAuthentication(), description="How to authenticate"
    )
    timeout: float = Field(default=30.0, gt=0, le=300, description="Seconds for one call")
    expected_status: tuple[int, ...] = Field(
        default=(), description="Accepted statuses; default: any 2xx"
    )
    response: Response = Field(
        default=Response(), description="What to extract from the answer as outputs"
    )
    idempotency_header: Annotated[HeaderName | None, BeforeValidator(without_blank)] = Field(
        default=None,
        description="Header for an idempotency key, the same on every attempt",
        examples=["Idempotency-Key"],
    )
    look: LookConfig | None = Field(
        default=None, description="How to find an earlier effect before a retry"
    )
    asynchronous: Asynchronous | None = Field(
        default=None, alias="async", description="How to poll after a 202 until the target is done"
    )

    @field_validator("query", mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {
            name: [one for one in value if one is not None] if isinstance(value, list) else value
            for name, value in given.items()
        }

    @field_validator("headers")
    @classmethod
    def _refuse_transport_headers(cls, given: dict[str, Scalar | None]) -> dict[str, Scalar | None]:
        if taken := sorted(name for name in given if name.lower() in _TRANSPORT_HEADERS):
            raise ValueError(f"{', '.join(taken)} is set by PAO itself")
        return given
