"""Values as plain text in messages: in Slack's markup, in GitHub's Markdown, in commit messages."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from catalog.templating.urls import Span

# Invisible; keeps a sign and a name, or a bracket and a word, from being read as one token.
SEPARATOR = "\N{ZERO WIDTH SPACE}"

_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SLACK_SIGN = re.compile("[&<>]")
# Receivers that speak Slack's format, such as Mattermost, act on these without brackets.
_EVERYBODY = re.compile(r"(?<![\w@])@(?=(?:channel|here|all|everyone|group)\b)", re.IGNORECASE)

_LINES = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_NAMES = re.compile(
    r"""
      (?<![A-Za-z0-9_]) @ (?=[A-Za-z0-9])             # Mentions.
    | \# (?=[0-9])                                    # Issues, also owner/repository#1.
    | \b GH- (?=[0-9])
    | \[ (?=\s*(?:skip|no|ci|actions|azp|cd|deploy|release|bot|review|rebase|pipeline)\b)
    | \b (?:skip|no|ci|actions|azp) (?=[ \t-]+(?:skip|ci|actions)\b)
    | \*\*\* (?=NO_CI)
    | \b (?:[A-Za-z]{1,40}-){1,6} (?:by|checks|of|to|id|request|action) (?=[ \t]*:)   # Trailers.
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What acts by several parts, which may come from several values and the template between them. A
# match begins with the first part; the group, the last to match, ends with the last part.
_MULTIPART = re.compile(
    r"""
      \[ (?=[ \t]{0,5} (?:
          (?P<pair> (?: (?:skip|no) [ \t-]{1,5} \w{1,40} | \w{1,40} [ \t-]{1,5} skip ) \b \]? )
        | (?P<word>
            (?:skip|no|ci|actions|azp|cd|deploy|release|bot|review|rebase|pipeline) \b \]? )
      ))
    | \*\*\* (?=(?P<stars> NO_CI \*{0,3} ))
    | (?:\A|\n) [ \t]{0,20}
      (?: (?:[A-Z]{1,40}-){1,6} (?:by|checks|of|to|id|request|action|as) | BREAKING[ -]CHANGE )
      (?=(?P<colon> [ \t]*: ))
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A trailer of any name; the first line of a message is its subject.
_TRAILER = re.compile(r"\n[ \t]{0,20}[A-Za-z][A-Za-z0-9-]{0,60}(?=(?P<colon>[ \t]*:))")
# A command to JIRA, after the key of a ticket.
_COMMAND = re.compile(r"#(?=[A-Za-z])")
_JOINTS = frozenset("@#[]:/-.*")
_ADDRESSES = re.compile(r"\b(?:https?|ftp):(?=//)|\bwww(?=\.)", re.IGNORECASE)
_MARKS = re.compile(r"[\\`*_\[\]|~$]")
_HTML = re.compile("[&<>]")
_LINE_STARTS = re.compile(
    r"""
      (?<![^\n]) [ \t]{4,}                     # Code by indentation.
    | (?<![^\n]) (?P<sign>[ \t]* (?: \#{1,6} | [-+](?=[ \t]) | [-+=]+(?=[ \t]*(?:\n|\Z)) ))
    | (?<![^\n]) (?P<number>[ \t]* [0-9]{1,9}) (?=[.)](?:\s|\Z))
    """,
    re.VERBOSE,
)
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_FENCE_SIGNS = re.compile(r"(`{2}|~{2})(?=[`~])")


def slack_escape(text: str) -> str:
    """Return the text as Slack shows it literally, without creating mentions or links."""
    escaped = _SLACK_SIGN.sub(lambda found: _SLACK[found[0]], text)
    return _EVERYBODY.sub(f"@{SEPARATOR}", escaped)


def commit_escape(text: str) -> str:
    """Return the text for a commit message or a title: one line that GitHub does not act on.

    Mentions, references, closing keywords, trailers and skip-checks marks have no effect.
    """
    return _COMMAND.sub(_separate, _separate_references(_normalize_lines(text).replace("\n", " ")))


def markdown_escape(text: str) -> str:
    """Return the text so that GitHub shows it literally, none of it as Markdown or HTML."""
    escaped = _MARKS.sub(
        lambda found: f"\\{found[0]}", _separate_references(_normalize_lines(text))
    )
    return _HTML.sub(lambda found: _SLACK[found[0]], _LINE_STARTS.sub(_escape_line_start, escaped))


def separator_between(before: str, text: str) -> str:
    """Return a separator for two values that would act together, such as an @ and a name."""
    acts = before and text and (before[-1] in _JOINTS or text[0] in _JOINTS)
    return SEPARATOR if acts else ""


def neutralize(text: str, values: Sequence[Span], *, trailers: bool) -> str:
    """Return a finished message in which nothing acts that values have a part in.

    What the template writes without them acts as usual. ``trailers``: a line after the first
    whose name of a trailer is a value's is none either, whatever its name.
    """
    starts = [start for start, _ in values]

    def is_touched(found: re.Match[str]) -> bool:
        last = bisect_left(starts, found.end(found.lastgroup or 0)) - 1
        return last >= 0 and values[last][1] > found.start()

    patterns = (_MULTIPART, _TRAILER) if trailers else (_MULTIPART,)
    acting = (found for pattern in patterns for found in pattern.finditer(text))
    places = sorted({found.end() for found in acting if is_touched(found)})
    return SEPARATOR.join(text[start:end] for start, end in pairwise([0, *places, len(text)]))


def code_text(text: str, *, block: bool) -> str:
    """Return the text for use within code: unchanged, except that it does not end the code."""
    # A pull request may be squashed into a commit, whose message has no code markup.
    plain = _NAMES.sub(_separate, _normalize_lines(text))
    if block:
        return _FENCE_SIGNS.sub(lambda found: f"{found[0]}{SEPARATOR}", plain)
    return plain.replace("\n", " ").replace("`", "'")


class CodeTracker:
    """Follows a template's own Markdown: whether code is open at the place of a value."""

    def __init__(self) -> None:
        self._fence = ""
        self._line = ""

    @property
    def in_block(self) -> bool:
        """Whether a fenced block is open."""
        return bool(self._fence)

    @property
    def in_span(self) -> bool:
        """Whether a code span is open on this line."""
        return not self._fence and self._line.count("`") % 2 == 1

    def text(self, text: str) -> None:
        """Take text of the template."""
        *whole, rest = (self._line + text).split("\n")
        for line in whole:
            self._end(line)
        self._line = rest

    def value(self, text: str) -> None:
        """Take a value that was put out: it opens and ends nothing, but may begin a line."""
        self._line = (
            text.rpartition("\n")[2].replace("`", "'") if "\n" in text else self._line + "x"
        )

    def _end(self, line: str) -> None:
        found = _FENCE.match(line)
        if found is None:
            return
        if not self._fence:
            self._fence = found[1]
        elif found[1].startswith(self._fence) and not line[found.end() :].strip():
            self._fence = ""


def _normalize_lines(text: str) -> str:
    """Return the text with one kind of line break and without invisible controls."""
    return _CONTROL.sub("", _LINES.sub("\n", text))


def _separate_references(text: str) -> str:
    return _ADDRESSES.sub(_separate, _NAMES.sub(_separate, text))


def _separate(match: re.Match[str]) -> str:
    return f"{match[0]}{SEPARATOR}"


def _escape_line_start(match: re.Match[str]) -> str:
    """Return the beginning of a line so that it begins no heading, list, rule or table."""
    if match["sign"]:
        spaces = match["sign"][: len(match["sign"]) - len(match["sign"].lstrip(" \t"))]
        return f"{spaces}\\{match['sign'].lstrip()}"
    if match["number"]:
        return f"{match['number']}\\"
    return "   "
