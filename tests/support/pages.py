"""What the pages for people say, in pieces that tests compare with the code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
        ROOT / "helm/pao/README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
# What stood in the code when a record was written, or a release was made, may be gone by now.
HISTORY = {ROOT / "CHANGELOG.md", *(ROOT / "docs" / "adr").glob("0*.md")}
FENCE = re.compile(r"^ *```.*?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")


class Row(NamedTuple):
    """One row of a table."""

    page: Path
    cells: list[str]


def text(page: Path) -> str:
    """Return the page's text."""
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """Return the page's text without its blocks of code."""
    return FENCE.sub("", text(page))


def blocks(page: Path) -> Iterator[str]:
    """Yield the lines of each block of code, prompts and continued lines removed."""
    for found in FENCE.finditer(text(page)):
        yield found[1].replace("\\\n", " ")


def names(page: Path) -> Iterator[str]:
    """Yield everything that stands in code marks."""
    yield from CODE.findall(prose(page))


def rows(page: Path) -> Iterator[Row]:
    """Yield the rows of the page's tables."""
    for line in prose(page).splitlines():
        if line.startswith("| ") and line.endswith(" |"):
            yield Row(page, [cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])])
