"""Wiki macros that span lines: panels, quotes and colors, found before lines are parsed.

A document cannot nest them: an inner or unclosed macro is left out or stays text. Code has been
removed from the text before, and escaped characters are hidden.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

PANELS = {
    "panel": "info",
    "info": "info",
    "note": "note",
    "warning": "warning",
    "tip": "success",
}
QUOTE = "quote"
_TAG = re.compile(r"\{(?P<name>panel|info|note|warning|tip|quote)(?::(?P<settings>[^{}\n]*))?\}")
_TITLE = re.compile(r"(?:^|\|)title=([^|]*)")
_COLOR = re.compile(
    r"(?P<tag>\{color:[^{}\n]{1,30}\})(?P<body>(?:[^{}]|\{\{[^{}\n]*\}\})*)\{color\}"
)
_PREFIX = re.compile(r"[ \t]*(?:[*#-]{1,9}[ \t]+|h[1-6]\.[ \t]+|bq\.[ \t]+)?")


@dataclass(frozen=True, slots=True)
class Region:
    """A macro that holds blocks: a quote, or a panel with its kind and title."""

    name: str
    title: str = ""

    def node(self, content: list[dict[str, Any]]) -> dict[str, Any]:
        """Return its node; ADF forbids empty ones."""
        inside = content or [{"type": "paragraph"}]
        if self.name == QUOTE:
            return {"type": "blockquote", "content": inside}
        return {"type": "panel", "attrs": {"panelType": PANELS[self.name]}, "content": inside}


def mark_regions(text: str, marker: str) -> tuple[str, list[Region]]:
    """Put the tags of regions on separate lines: ``<marker>+<number>`` and ``<marker>-``."""
    found = [tag for tag in _TAG.finditer(text) if not _in_table(text, tag.start())]
    left = Counter(tag["name"] for tag in found)
    regions: list[Region] = []
    pieces: list[str] = []
    position, inside = 0, ""
    for tag in found:
        name = tag["name"]
        left[name] -= 1
        if not inside and not left[name]:
            # Without an end tag it is text.
            continue
        pieces.append(text[position : tag.start()])
        position = tag.end()
        if not inside:
            inside = name
            title = _TITLE.search(tag["settings"] or "")
            pieces.append(f"\n{marker}+{len(regions)}\n")
            regions.append(Region(name, title[1].strip() if title else ""))
        elif name == inside:
            inside = ""
            pieces.append(f"\n{marker}-\n")
    return "".join((*pieces, text[position:])), regions


def color_lines(text: str) -> str:
    """Wrap each line of a color that spans several in its own pair of tags."""
    return _COLOR.sub(_split_color, text)


def _split_color(match: re.Match[str]) -> str:
    if "\n" not in match["body"]:
        return match[0]
    return "\n".join(_wrap_in_color(line, match["tag"]) for line in match["body"].split("\n"))


def _wrap_in_color(line: str, tag: str) -> str:
    prefix = _PREFIX.match(line)
    start = prefix.end() if prefix else 0
    if not line[start:].strip() or line.lstrip().startswith("|"):
        return line
    return f"{line[:start]}{tag}{line[start:]}{{color}}"


def _in_table(text: str, position: int) -> bool:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line.lstrip().startswith("|")
