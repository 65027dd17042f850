"""Writes values into addresses, paths and connection strings, where each keeps its place."""

from typing import Any
from urllib.parse import quote

from catalog.templating.connections import (
    HEAD,
    connection_escape,
    is_connection_url,
    require_in_settings,
)
from catalog.templating.contract import FaultError
from catalog.templating.limits import Budget
from catalog.templating.urls import Span, require_in_place
from catalog.templating.values import MaskText, UrlText, text_of
from catalog.templating.writer import Writer


class FormWriter(Writer):
    """Writes what a form sends, in which values are percent-encoded."""

    def escape(self, value: Any) -> str:
        """Encode a value; results of url() are kept."""
        if isinstance(value, UrlText | MaskText):
            return str(value)
        try:
            return quote(text_of(value, self.budget, ","), safe="")
        except UnicodeError as error:
            raise FaultError("template-value", "a text contains an unpaired surrogate") from error


class UrlWriter(FormWriter):
    """Writes a URL, in which values are percent-encoded and keep their place."""

    bare = False

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._length = 0
        self._values: list[Span] = []
        self._trusted: list[Span] = []

    def text(self, text: str) -> None:
        """Write text of the template, or text that needs no escaping."""
        super().text(text)
        self._length += len(text)

    def value(self, value: Any) -> None:
        """Write a value."""
        self._values.append(self._write_span(value))

    def trusted_value(self, value: Any) -> None:
        """Write a value that the author or the operator has set."""
        self._trusted.append(self._write_span(value))

    def result(self) -> str:
        """Return the URL; raises template-value where a value leads elsewhere."""
        url = super().result()
        require_in_place(url, self._values, trusted=self._trusted, bare=self.bare)
        return url

    def _write_span(self, value: Any) -> Span:
        """Write a value, and return where it stands."""
        start = self._length
        super().value(value)
        return start, self._length


class EndpointWriter(UrlWriter):
    """Writes a URL or a host, possibly with its port and path."""

    bare = True


class ConnectionWriter(UrlWriter):
    """Writes a connection string of PostgreSQL: a URL, or names and values."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._head = ""

    def text(self, text: str) -> None:
        """Write text of the template, or text that needs no escaping."""
        super().text(text)
        self._head = (self._head + text)[:HEAD]

    def escape(self, value: Any) -> str:
        """Escape a value as the part of the string in which it stands requires it."""
        if is_connection_url(self._head):
            return super().escape(value)
        return connection_escape(text_of(value, self.budget))

    def result(self) -> str:
        """Return the string; raises template-value where a value leads elsewhere."""
        if is_connection_url(self._head):
            return super().result()
        text = self.since(0)
        require_in_settings(text, self._values)
        return text


class PathWriter(Writer):
    """Writes a path of names, in which a value is part of one name."""

    def value(self, value: Any) -> None:
        """Write a value; raises template-value where it holds a slash."""
        text = self.escape(value)
        if "/" in text or "\\" in text:
            raise FaultError(
                "template-value",
                "a value within the path holds a slash, which leads elsewhere; correct the value",
            )
        self.text(text)
