"""The part of JQL that PAO and people use, translated to SQL with bound values.

``labels``, ``project``, ``key``, ``id`` and ``status`` with ``=``, ``!=`` and ``IN``, joined by
AND, and ORDER BY ``created``, ``updated`` or ``key``.
"""

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(!=|=|\(|\)|,)|([^\s"'=!(),]+))"""
)
_COLUMNS = {
    "project": "project",
    "key": "key",
    "issuekey": "key",
    "issue": "key",
    "id": "id",
    "status": "status",
}
_ORDER = {"created": "id", "updated": "updated", "key": "key", "id": "id"}


class JqlError(ValueError):
    """The query is invalid; the text is one for the response."""


@dataclass(frozen=True, slots=True)
class JqlQuery:
    """A condition over the table of tickets, its bound values, an order, and the keys it names."""

    where: str
    values: tuple[Any, ...]
    order: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool

    def is_word(self, word: str) -> bool:
        return not self.quoted and self.text.upper() == word


def parse_jql(text: str) -> JqlQuery:
    """Return the query that the text means; raises JqlError if it is invalid."""
    reader = _Reader(_tokens(text))
    clauses: list[tuple[str, tuple[Any, ...]]] = []
    keys: list[str] = []
    while reader.more and not reader.at("ORDER"):
        is_about_keys = reader.names_keys
        clauses.append(_clause(reader))
        keys.extend(clauses[-1][1] if is_about_keys else ())
        if reader.more and not reader.at("ORDER"):
            reader.expect("AND")
    order = _order(reader)
    return JqlQuery(
        where=" AND ".join(sql for sql, _ in clauses) or "TRUE",
        values=tuple(value for _, values in clauses for value in values),
        order=order,
        keys=tuple(keys),
    )


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def more(self) -> bool:
        return self._next < len(self._tokens)

    @property
    def names_keys(self) -> bool:
        return self.more and _COLUMNS.get(self._tokens[self._next].text.lower()) == "key"

    def at(self, word: str) -> bool:
        return self.more and self._tokens[self._next].is_word(word)

    def take(self) -> _Token:
        if not self.more:
            raise JqlError("Error in the JQL Query: the query ended before it was complete.")
        self._next += 1
        return self._tokens[self._next - 1]

    def expect(self, word: str) -> None:
        token = self.take()
        if not token.is_word(word):
            raise JqlError(f"Error in the JQL Query: Expecting {word} but got '{token.text}'.")


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise JqlError(
                f"Error in the JQL Query: the character '{text[position]}' is not understood."
            )
        double, single, sign, word = match.groups()
        quoted = double if double is not None else single
        if quoted is not None:
            tokens.append(_Token(re.sub(r"\\(.)", r"\1", quoted), quoted=True))
        else:
            tokens.append(_Token(sign or word, quoted=False))
        position = match.end()
    return tokens


def _clause(reader: _Reader) -> tuple[str, tuple[Any, ...]]:
    field = reader.take().text.lower()
    operator = reader.take()
    if operator.is_word("IN"):
        values, negated = _list(reader), False
    elif operator.is_word("=") or operator.is_word("!="):
        values, negated = [reader.take().text], operator.text == "!="
    else:
        raise JqlError(f"Error in the JQL Query: '{operator.text}' is no known operator.")
    sql, bound = _condition(field, values)
    return (f"NOT ({sql})" if negated else sql), bound


def _condition(field: str, values: list[str]) -> tuple[str, tuple[Any, ...]]:
    marks = ", ".join("?" * len(values))
    if field == "labels":
        return f"id IN (SELECT ticket_id FROM labels WHERE label IN ({marks}))", tuple(values)  # noqa: S608 -- marks are question marks
    if field not in _COLUMNS:
        raise JqlError(f"Field '{field}' does not exist or you do not have permission to view it.")
    return f"{_COLUMNS[field]} COLLATE NOCASE IN ({marks})", tuple(values)


def _list(reader: _Reader) -> list[str]:
    reader.expect("(")
    values = [reader.take().text]
    while reader.at(","):
        reader.take()
        values.append(reader.take().text)
    reader.expect(")")
    return values


def _order(reader: _Reader) -> str:
    if not reader.more:
        return "id DESC"
    reader.expect("ORDER")
    reader.expect("BY")
    field = reader.take().text.lower()
    if field not in _ORDER:
        raise JqlError(f"Not able to sort using field '{field}'.")
    direction = reader.take().text.upper() if reader.more else "ASC"
    if direction not in {"ASC", "DESC"} or reader.more:
        raise JqlError("Error in the JQL Query: the end of ORDER BY is not understood.")
    return f"{_ORDER[field]} {direction}"
