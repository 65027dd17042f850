"""Lines for a person: whole where they are copied, wrapped at words where they are read.

``width`` is that of the terminal, None off a terminal, where nothing is wrapped.
"""

from collections.abc import Iterator

from rich.padding import Padding
from rich.text import Text

Line = Text | Padding

GAP = " " * 2


def prose(text: str, width: int | None, *, style: str = "", indent: str = "") -> Line:
    """Return a text that is wrapped at words on a terminal, behind its indent."""
    if width is None:
        return Text(indent + text, style=style)
    return Padding(Text(text, style=style), (0, 0, 0, len(indent)), expand=False)


def beside(
    line: Text, more: Text, width: int | None, *, indent: str = "", wraps: bool = False
) -> Iterator[Line]:
    """Yield a text behind a line, or under it where both are wider than the terminal.

    ``wraps`` says that the text is to be read and may be wrapped there.
    """
    if width is None or line.cell_len + len(GAP) + more.cell_len <= width:
        yield line.append(GAP).append_text(more)
        return
    yield line
    if wraps:
        yield Padding(more, (0, 0, 0, len(indent)), expand=False)
    else:
        yield Text(indent).append_text(more)
