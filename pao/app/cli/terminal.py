"""Output of `pao`: consoles, documents, and the texts of states and times.

Texts of a server are shown with `clean`, never as Rich markup.
"""

import json
import os
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

# C0 and C1 controls, and what reorders or hides text (bidirectional controls, zero width).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
_UNSAFE_IN_JSON = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))

# Wide enough that nothing in a pipe or a file is ever cut.
_PIPE_WIDTH = 400

_AGES = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (30 * 86_400, 86_400, "d"))

STYLES = {
    "completed": "green",
    "ok": "green",
    "ready": "green",
    "failed": "bold red",
    "down": "bold red",
    "in_progress": "cyan",
    "submitted": "cyan",
    "waiting": "yellow",
    "degraded": "yellow",
    "open": "bold red",
    "half_open": "yellow",
    "closed": "green",
    "escalated": "magenta",
    "aborted": "bright_black",
    "pending": "bright_black",
    "skipped": "bright_black",
}

MARKS = {
    "completed": "✓",
    "ok": "✓",
    "failed": "✗",
    "down": "✗",
    "in_progress": "●",
    "submitted": "○",
    "pending": "○",
    "waiting": "◷",
    "degraded": "!",
    "open": "✗",
    "half_open": "!",
    "closed": "✓",
    "escalated": "▲",
    "aborted": "■",
    "skipped": "-",
}


class OutputFormat(StrEnum):
    """How a result is written on standard output."""

    TABLE = "table"
    WIDE = "wide"
    ID = "id"
    JSON = "json"
    YAML = "yaml"


def clean(value: object, *, multiline: bool = False) -> str:
    r"""Return a text whose control characters are visible (``\x1b``), so that none takes effect."""
    text = "" if value is None else str(value)
    if multiline:
        return "\n".join(clean(line) for line in text.splitlines())
    return _UNSAFE.sub(_escape, text)


def segment(name: str) -> str:
    """Return a name as one segment of an address."""
    return quote(name, safe="")


def make_console(*, stderr: bool = False, color: bool = True) -> Console:
    """Return a console on the current standard stream; colors only on a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    # None leaves the decision to NO_COLOR, which False would override.
    no_color = None if color else True
    return Console(
        file=stream, no_color=no_color, highlight=False, markup=False, emoji=False, width=width
    )


def write_document(document: Any, output: OutputFormat) -> None:
    """Write the API's own document as JSON or YAML, and nothing else."""
    if output is OutputFormat.YAML:
        import yaml  # noqa: PLC0415 -- only this output needs it

        harmless = not _UNSAFE.search(json.dumps(document, ensure_ascii=False))
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=harmless, width=100).rstrip()
    else:
        text = _json(document, indent=2)
    sys.stdout.write(text + "\n")


def write_line(document: Any) -> None:
    """Write a document as one line of JSON, at once."""
    sys.stdout.write(_json(document) + "\n")
    sys.stdout.flush()


def write_lines(lines: Iterable[str]) -> None:
    """Write texts, one a line; on a terminal their control characters are escaped."""
    is_terminal = sys.stdout.isatty()
    for line in lines:
        sys.stdout.write((clean(line, multiline=True) if is_terminal else line) + "\n")
    sys.stdout.flush()


def _json(document: Any, *, indent: int | None = None) -> str:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    # Inside JSON every such character is part of a text, where its escape means the same.
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def state(status: object, *, retrying: object = False) -> Text:
    """Return a state with its mark and color, and whether it is being retried."""
    word = clean(status)
    mark = MARKS.get(word, "?")
    is_terminal = f"{mark} {word}" + (" (retrying)" if retrying else "")
    return Text(is_terminal, style=STYLES.get(word, ""))


def pad(text: str, width: int) -> str:
    """Return a text padded with blanks to a width in terminal cells."""
    return text + " " * max(0, width - cell_len(text))


def parse_time(value: object) -> datetime | None:
    """Return the API's RFC 3339 time; None if it is not one."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def local_time(value: object) -> str:
    """Return a time in this machine's time zone."""
    moment = parse_time(value)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else clean(value)


def age(value: object) -> str:
    """Return how long ago a time was, or how soon it will be; its date beyond 30 days."""
    moment = parse_time(value)
    if moment is None:
        return clean(value)
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for limit, unit, name in _AGES:
        if abs(seconds) < limit:
            span = f"{int(abs(seconds) // unit)} {name}"
            return f"in {span}" if seconds < 0 else f"{span} ago"
    return local_time(value)[:10]


def duration(started: object, finished: object) -> str:
    """Return how long something took, or has taken until now; empty if it never started."""
    begin = parse_time(started)
    if begin is None:
        return ""
    end = parse_time(finished) or datetime.now(UTC)
    seconds = max(0.0, (end - begin).total_seconds())
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    if match[0] in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[match[0]]
    return f"\\x{point:02x}" if point <= 0xFF else f"\\u{point:04x}"  # noqa: PLR2004 -- one byte
