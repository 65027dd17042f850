"""Keeps values in their place in a connection string of PostgreSQL, as libpq and lib/pq read it."""

import re
from collections.abc import Sequence

from catalog.templating.contract import FaultError
from catalog.templating.urls import Span, require_hosts

_URL = ("postgres://", "postgresql://")
HEAD = max(map(len, _URL))
"""How many characters decide whether a connection string is a URL."""
_SETTING = re.compile(
    r"""\s*+([^\s=]++)\s*+=\s*+('(?:\\.|[^'\\])*+'|(?!')(?:\\.|[^\s\\])*+)""", re.DOTALL
)
_SYNTAX = re.compile(r"[\s'\\]")
_HOSTS = frozenset({"host", "hostaddr"})


def is_connection_url(text: str) -> bool:
    """Return whether the string is a URL; otherwise it consists of names and values."""
    return text.startswith(_URL)


def connection_escape(text: str) -> str:
    """Return a text as part of one value, within quotes or not."""
    return _SYNTAX.sub(r"\\\g<0>", text)


def require_in_settings(text: str, values: Sequence[Span]) -> None:
    """Raise template-value unless each value is part of a setting's, and extends no host."""
    at, pending = 0, list(reversed(values))
    while found := _SETTING.match(text, at):
        start, at = found.span(2)
        within: list[Span] = []
        while pending and start <= pending[-1][0] and pending[-1][1] <= at:
            within.append(pending.pop())
        if found[1] in _HOSTS:
            quote = int(found[2].startswith("'"))
            require_hosts(text, (start + quote, at - quote), within)
    if pending:
        message = "a value is empty, or stands outside the settings of the connection; correct it"
        raise FaultError("template-value", message)
