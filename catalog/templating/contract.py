"""The types that callers of templates use: targets, known names, secrets, errors. No behavior."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

MASK = "********"


class Escaping(StrEnum):
    """The format that a rendered text becomes part of; it decides how values are escaped.

    ``ADDRESS`` is a URL that may consist of one value, ``PATH`` such a path of names. The others
    of an operator's settings: ``ENDPOINT``, a URL or a host, ``CONNECTION``, a connection string
    of PostgreSQL, and ``LABEL``, part of a host's name. ``COMMIT`` is a commit message or title.
    """

    NONE = "none"
    JIRA = "jira"
    URL = "url"
    FORM = "form"
    JSON = "json"
    XML = "xml"
    ADDRESS = "address"
    ENDPOINT = "endpoint"
    CONNECTION = "connection"
    LABEL = "label"
    PATH = "path"
    SLACK = "slack"
    MARKDOWN = "markdown"
    COMMIT = "commit"


WHOLE = frozenset({Escaping.ADDRESS, Escaping.ENDPOINT, Escaping.CONNECTION, Escaping.PATH})
"""What a template that consists of one value may give as a whole."""

SETTINGS = frozenset({Escaping.ENDPOINT, Escaping.CONNECTION, Escaping.LABEL, Escaping.PATH})
"""In these, values of author and operator stand unescaped anywhere."""

PLACES = frozenset({Escaping.URL}) | WHOLE | SETTINGS
"""In these, a value may lead somewhere else."""


class TemplateError(Exception):
    """Why a template is wrong or cannot be rendered; it never holds a value, only names.

    ``id`` is stable (``template-name``), line and column count from 1 and point at the tag's first
    brace, ``suggestion`` is the text to write instead where one is near.
    """

    def __init__(
        self, code: str, message: str, *, line: int = 1, column: int = 1, suggestion: str = ""
    ) -> None:
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"{line}:{column}: {message}{hint}")
        self.id = code
        self.line = line
        self.column = column
        self.message = message
        self.suggestion = suggestion or None


class FaultError(Exception):
    """A TemplateError that does not know its position yet; it never leaves this package."""

    def __init__(self, code: str, message: str, *, suggestion: str = "") -> None:
        super().__init__(message)
        self.id = code
        self.message = message
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, repr=False)
class SecretValue:
    """A value from a password field or a secret, or computed from one."""

    value: Any = field(repr=False)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


@dataclass(frozen=True)
class Names:
    """The names that exist where a template is used; its own names are checked against them.

    ``groups`` are the form's group ids with their field ids, ``outputs`` the ids of the actions
    that ran before, ``escalation`` says that bundle and failure may be used. ``item`` is the own
    id, which slash paths in a bundle may begin with; ``row`` says that there is a scope of this
    name, a row of a CatalogList.
    """

    groups: Mapping[str, tuple[str, ...]]
    outputs: tuple[str, ...]
    components: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    escalation: bool = False
    item: str = ""
    row: bool = False

    @cached_property
    def fields(self) -> frozenset[str]:
        """Return the ids of all fields."""
        return frozenset(field for fields in self.groups.values() for field in fields)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Return a cache key for these names."""
        groups = tuple((group, tuple(fields)) for group, fields in self.groups.items())
        rest = (tuple(self.outputs), tuple(self.components), tuple(self.environment))
        return (groups, *rest, self.escalation, self.item, self.row)


def names_of(scopes: Mapping[str, Any]) -> Names:
    """Return the names that the scopes themselves hold, for templates that were not checked."""
    metadata = scopes.get("metadata") or {}
    return Names(
        groups={"": tuple(scopes.get("fields") or ())},
        outputs=tuple(scopes.get("outputs") or ()),
        components=tuple(scopes.get("components") or ()),
        environment=tuple(scopes.get("environment") or ()),
        escalation="failure" in scopes,
        item=str(metadata.get("id") or ""),
    )
