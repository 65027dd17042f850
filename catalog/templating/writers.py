"""Writes values as text for each target, so that none of them becomes syntax there."""

import json
import re
from typing import Any

from catalog.templating.contract import Escaping, FaultError
from catalog.templating.limits import Budget
from catalog.templating.messages import (
    CodeTracker,
    code_text,
    commit_escape,
    markdown_escape,
    neutralize,
    separator_between,
    slack_escape,
)
from catalog.templating.place_writers import (
    ConnectionWriter,
    EndpointWriter,
    FormWriter,
    PathWriter,
    UrlWriter,
)
from catalog.templating.urls import Span
from catalog.templating.values import (
    JsonText,
    MaskText,
    WikiText,
    is_list,
    is_mapping,
    item_text,
    join,
    json_text,
    text_of,
)
from catalog.templating.wiki import jira_escape
from catalog.templating.writer import Writer

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_JSON_SIGN = re.compile(r'\\(?:.|\Z)|"', re.DOTALL)
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_XML_SIGN = re.compile("[&<>\"']")


class JiraWriter(Writer):
    """Writes wiki markup: mappings as code, everything else escaped."""

    def escape(self, value: Any) -> str:
        """Escape a value; results of json() and jiraEscape() are kept."""
        if type(value) is str:
            return jira_escape(value)
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


class XmlWriter(Writer):
    """Writes XML, in which values are character data."""

    def escape(self, value: Any) -> str:
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
        """Write the template's own text and track its quotes."""
        super().text(text)
        start = 1 if self._after_backslash and text else 0
        self._after_backslash = self._after_backslash and not text
        for found in _JSON_SIGN.finditer(text, start):
            if found[0] == '"':
                self._in_string = not self._in_string
            self._after_backslash = found[0] == "\\"

    def value(self, value: Any) -> None:
        """Write a value; it neither ends the string around it nor changes the JSON's structure."""
        text = self.escape(value)
        if self._after_backslash and text.startswith("\\"):
            raise FaultError("template-json", "a backslash before a value would change its meaning")
        self._after_backslash = self._after_backslash and not text
        super().text(text)

    def escape(self, value: Any) -> str:
        """Return the value as JSON, or as text inside a JSON string."""
        if self._in_string:
            return json_text(text_of(value, self.budget), self.budget)[1:-1]
        return str(value) if isinstance(value, JsonText) else json_text(value, self.budget)

    def result(self) -> str:
        """Return the JSON; raises template-json if it is invalid."""
        text = super().result()
        try:
            json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            # What the library says is of the notation; it holds nothing of the values.
            message = f": {error.msg.lower()}" if isinstance(error, json.JSONDecodeError) else ""
            raise FaultError("template-json", f"the result is not valid JSON{message}") from error
        return text


class SlackWriter(Writer):
    """Writes Slack's markup: a value is text that mentions nobody and links nowhere."""

    def escape(self, value: Any) -> str:
        """Escape a value's text."""
        return slack_escape(text_of(value, self.budget))


class CommitWriter(Writer):
    """Writes a commit message or a title: a value is one line that GitHub does not act on."""

    trailers = True

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._before = ""
        self._length = 0
        self._values: list[Span] = []

    def text(self, text: str) -> None:
        """Write text of the template."""
        super().text(text)
        self._length += len(text)
        self._before = "" if text else self._before

    def value(self, value: Any) -> None:
        """Write a value, separated from the one right before it."""
        text = self.escape(value)
        written = separator_between(self._before, text) + text
        super().text(written)
        if written:
            self._values.append((self._length, self._length + len(written)))
        self._length += len(written)
        self._before = text or self._before

    def result(self) -> str:
        """Return the message; values act neither alone nor with what stands beside them."""
        return neutralize(super().result(), self._values, trailers=self.trailers)

    def escape(self, value: Any) -> str:
        """Return a value's text on one line."""
        return str(value) if isinstance(value, MaskText) else commit_escape(self._text(value))

    def _text(self, value: Any) -> str:
        return text_of(value, self.budget)


class MarkdownWriter(CommitWriter):
    """Writes GitHub's Markdown: a value is text, within code of the template as it is."""

    trailers = False

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._code = CodeTracker()

    def text(self, text: str) -> None:
        """Write text of the template and track where code begins and ends."""
        super().text(text)
        self._code.text(text)

    def value(self, value: Any) -> None:
        """Write a value."""
        super().value(value)
        self._code.value(self._before)

    def escape(self, value: Any) -> str:
        """Escape a value's text, or put it in code."""
        if isinstance(value, MaskText):
            return str(value)
        text = self._text(value)
        if self._code.in_block or self._code.in_span:
            return code_text(text, block=self._code.in_block)
        return markdown_escape(text)


WRITERS: dict[Escaping, type[Writer]] = {
    Escaping.NONE: Writer,
    Escaping.JIRA: JiraWriter,
    Escaping.URL: UrlWriter,
    Escaping.FORM: FormWriter,
    Escaping.JSON: JsonWriter,
    Escaping.XML: XmlWriter,
    Escaping.ADDRESS: UrlWriter,
    Escaping.ENDPOINT: EndpointWriter,
    Escaping.CONNECTION: ConnectionWriter,
    Escaping.LABEL: UrlWriter,
    Escaping.PATH: PathWriter,
    Escaping.SLACK: SlackWriter,
    Escaping.MARKDOWN: MarkdownWriter,
    Escaping.COMMIT: CommitWriter,
}


def _without_braces(text: str) -> str:
    """Escape braces within JSON's strings, so that none of them is markup."""
    return _JSON_STRING.sub(lambda found: found[0].replace("{", "\\u007b"), text)


def _no_constant(name: str) -> None:
    raise ValueError(name)
