"""How values become text in each target, so that none of them becomes syntax there."""

import json
import re
from typing import Any
from urllib.parse import quote

from catalog.templating.contract import Fault, Target
from catalog.templating.limits import TEXT_BYTES, Budget, size_of, too_long
from catalog.templating.values import (
    JsonText,
    MaskText,
    UrlText,
    WikiText,
    is_list,
    is_mapping,
    item_text,
    join,
    json_text,
    text_of,
)
from catalog.templating.wiki import jira_escape

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_JSON_SIGN = re.compile(r'\\(?:.|\Z)|"', re.DOTALL)
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_XML_SIGN = re.compile("[&<>\"']")


class Writer:
    """Collects the output of the target none; the other targets escape values."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._parts: list[str] = []
        self._room = TEXT_BYTES

    @property
    def empty(self) -> bool:
        """Say whether nothing has been put out so far."""
        return self._room == TEXT_BYTES

    @property
    def parts(self) -> int:
        """Give how many pieces were put out so far."""
        return len(self._parts)

    def since(self, parts: int) -> str:
        """Give what was put out after so many pieces."""
        return "".join(self._parts[parts:])

    def text(self, text: str) -> None:
        """Put out text of the template, or what needs no escaping."""
        self._room -= size_of(text)
        if self._room < 0:
            raise too_long()
        self._parts.append(text)

    def value(self, value: Any) -> None:
        """Put out a value without wrapping."""
        self.text(self.escaped(value))

    def escaped(self, value: Any) -> str:
        """Give a value as text that means nothing but itself in the target."""
        return text_of(value, self.budget)

    def result(self) -> str:
        """Give all that was put out."""
        return "".join(self._parts)


class JiraWriter(Writer):
    """Writes wiki markup: mappings as code, everything else escaped."""

    def escaped(self, value: Any) -> str:
        """Escape a value; what json() and jiraEscape() gave is kept."""
        if is_mapping(value):
            text = _without_braces(json_text(value, self.budget, 2))
            return f"{{code:json}}\n{text}\n{{code}}"
        if is_list(value):
            return join([self._item(item) for item in value], ", ")
        return self._item(value)

    def _item(self, value: Any) -> str:
        if isinstance(value, JsonText):
            return _without_braces(value)
        if isinstance(value, WikiText | MaskText):
            return str(value)
        text = item_text(value, self.budget)
        if is_list(value) or is_mapping(value):
            text = _without_braces(text)
        return jira_escape(text)


class UrlWriter(Writer):
    """Writes a URL, in which values are percent-encoded."""

    def escaped(self, value: Any) -> str:
        """Encode a value; what url() gave is kept."""
        if isinstance(value, UrlText | MaskText):
            return str(value)
        try:
            return quote(text_of(value, self.budget, ","), safe="")
        except UnicodeError as error:
            raise Fault("template-value", "a text holds half a character") from error


class XmlWriter(Writer):
    """Writes XML, in which values are character data."""

    def escaped(self, value: Any) -> str:
        """Escape a value's text."""
        text = text_of(value, self.budget)
        return _XML_SIGN.sub(lambda found: _XML[found[0]], text)


class JsonWriter(Writer):
    """Writes JSON: values become JSON, or text within the string that is open."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._in_string = False
        self._after_backslash = False

    def text(self, text: str) -> None:
        """Put out the template's own text and follow its quotes."""
        super().text(text)
        start = 1 if self._after_backslash and text else 0
        self._after_backslash = self._after_backslash and not text
        for found in _JSON_SIGN.finditer(text, start):
            if found[0] == '"':
                self._in_string = not self._in_string
            self._after_backslash = found[0] == "\\"

    def value(self, value: Any) -> None:
        """Put out a value; it neither ends the string that it stands in nor adds to the JSON."""
        text = self.escaped(value)
        if self._after_backslash and text.startswith("\\"):
            raise Fault("template-json", "a backslash before a value would change its meaning")
        self._after_backslash = self._after_backslash and not text
        super().text(text)

    def escaped(self, value: Any) -> str:
        """Give the value as JSON, or as text inside a JSON string."""
        if self._in_string:
            return json_text(text_of(value, self.budget), self.budget)[1:-1]
        return str(value) if isinstance(value, JsonText) else json_text(value, self.budget)

    def result(self) -> str:
        """Give the JSON; raises template-json if it is none."""
        text = super().result()
        try:
            json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Fault("template-json", "the result is not valid JSON") from error
        return text


WRITERS: dict[Target, type[Writer]] = {
    Target.NONE: Writer,
    Target.JIRA: JiraWriter,
    Target.URL: UrlWriter,
    Target.JSON: JsonWriter,
    Target.XML: XmlWriter,
}


def _without_braces(text: str) -> str:
    """Write braces within JSON's strings as escapes, so that none of them is markup."""
    return _JSON_STRING.sub(lambda found: found[0].replace("{", "\\u007b"), text)


def _no_constant(name: str) -> None:
    raise ValueError(name)
