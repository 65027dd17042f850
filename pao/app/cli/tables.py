"""Tables that fit the terminal: which columns go when it is narrow, and which texts are cut.

Ids and states are never shortened. Off a terminal every table is complete: nothing is left out,
cut or wrapped, and times are exact.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from rich.console import Console
from rich.text import Text

from pao.app.cli.terminal import clean

Row = TypeVar("Row")

_GAP = 2
# A text keeps this many cells as long as another column can go instead.
_READABLE = 24
_LEAST = 8


class Fit(Enum):
    """What becomes of a column's text when it is wider than the terminal allows."""

    WHOLE = auto()
    CUT = auto()
    FOLD = auto()


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its header, and its cell for a row.

    ``exact`` is the cell where there is room by definition: with ``-o wide``, in a pipe or a file.
    ``goes`` says whether the column may be left out on a narrow terminal, the lowest first. A
    ``wide`` column is shown by ``-o wide`` only.
    """

    header: str
    cell: Callable[[Row], object]
    exact: Callable[[Row], object] | None = None
    goes: int | None = None
    fit: Fit = Fit.WHOLE
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """A list as people read it; ``ident`` is what ``-o id`` writes of a row."""

    columns: Sequence[Column[Row]]
    ident: Callable[[Row], object]


def print_table(
    console: Console, table: Table[Row], rows: Sequence[Row], *, wide: bool = False
) -> None:
    """Print rows with their headers, as wide as the terminal at most unless they must be whole."""
    fits = console.file.isatty() and not wide
    columns = [column for column in table.columns if wide or not column.wide]
    drawn = [_Drawn.of(column, rows, exact=not fits) for column in columns]
    if fits:
        drawn = _fitted([one for one in drawn if not one.is_empty], console.width)
    for line in _lines(console, drawn):
        console.print(line, soft_wrap=True)


@dataclass(slots=True)
class _Drawn:
    """A column with its texts and the cells that it takes."""

    header: Text
    texts: list[Text]
    goes: int | None
    fit: Fit
    width: int

    @classmethod
    def of(cls, column: Column[Row], rows: Sequence[Row], *, exact: bool) -> "_Drawn":
        cell = column.exact if exact and column.exact else column.cell
        texts = [_text(cell(row)) for row in rows]
        header = Text(column.header, style="bold")
        width = max(one.cell_len for one in (header, *texts))
        return cls(header, texts, column.goes, column.fit, width)

    @property
    def is_empty(self) -> bool:
        return not any(self.texts)

    @property
    def wanted(self) -> int:
        return self.width if self.fit is Fit.WHOLE else min(self.width, _READABLE)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(clean(cell))


def _fitted(drawn: list[_Drawn], room: int) -> list[_Drawn]:
    shown = list(drawn)
    for one in sorted((one for one in drawn if one.goes is not None), key=_order):
        if _total(column.wanted for column in shown) <= room:
            break
        shown.remove(one)
    _shorten(shown, room)
    return shown


def _order(column: _Drawn) -> int:
    return column.goes or 0


def _shorten(shown: list[_Drawn], room: int) -> None:
    """Take the cells that are missing from the widest text, again and again."""
    soft = [one for one in shown if one.fit is not Fit.WHOLE]
    over = _total(one.width for one in shown) - room
    while over > 0 and soft:
        widest = max(soft, key=lambda one: one.width)
        if widest.width <= _LEAST:
            return
        widest.width -= 1
        over -= 1


def _total(widths: Iterator[int]) -> int:
    each = list(widths)
    return sum(each) + _GAP * (len(each) - 1)


def _lines(console: Console, drawn: list[_Drawn]) -> Iterator[Text]:
    yield _joined([(one.header, one.width) for one in drawn])
    count = max((len(one.texts) for one in drawn), default=0)
    for number in range(count):
        cells = [_folded(console, one.texts[number], one) for one in drawn]
        for line in range(max(map(len, cells))):
            parts = (part[line] if line < len(part) else Text() for part in cells)
            yield _joined(list(zip(parts, (one.width for one in drawn), strict=True)))


def _folded(console: Console, text: Text, column: _Drawn) -> list[Text]:
    if text.cell_len <= column.width:
        return [text]
    if column.fit is Fit.FOLD:
        return list(text.wrap(console, column.width))
    short = text.copy()
    short.truncate(column.width, overflow="ellipsis")
    return [short]


def _joined(cells: list[tuple[Text, int]]) -> Text:
    line = Text()
    for text, width in cells:
        line.append_text(text)
        line.append(" " * (width - text.cell_len + _GAP))
    line.rstrip()
    return line
