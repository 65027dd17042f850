"""JIRA's wiki markup: making a value plain text in it."""

import re

_ALWAYS = re.compile(r"[{}\[\]|!]")
_UNLESS_INSIDE_A_WORD = re.compile(r"(?<![^\W_])[*_+\-^~#]|[*_+\-^~#](?![^\W_])")
_LINE_MARKUP = re.compile(r"(^|[\r\n])(h[1-6]|bq)\.")


def jira_escape(text: str) -> str:
    """Give the text so that JIRA shows it letter by letter, none of it as markup."""
    escaped = _UNLESS_INSIDE_A_WORD.sub(r"\\\g<0>", text.replace("\\", "\0"))
    escaped = _ALWAYS.sub(r"\\\g<0>", escaped)
    escaped = _LINE_MARKUP.sub(r"\1\2\\.", escaped)
    return escaped.replace("\0", "&#92;")
