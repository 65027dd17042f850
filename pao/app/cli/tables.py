"""Tables that fit the terminal: on a narrow one, columns are left out and texts are cut.

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
# A text keeps this many cells as long as another column can be left out instead.
_READABLE_WIDTH = 24
_MIN_WIDTH = 8


class Fit(Enum):
    """What happens to a column's text if it is wider than the terminal allows."""

    WHOLE = auto()
    CUT = auto()
    FOLD = auto()


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its header, and its cell for a row.

    ``exact`` is the cell with ``-o wide``, in a pipe or a file. ``drop_order`` is for columns that
    may be left out on a narrow terminal, the lowest first. A ``wide`` column is shown by
    ``-o wide`` only.
    """

    header: str
    cell: Callable[[Row], object]
    exact: Callable[[Row], object] | None = None
    drop_order: int | None = None
    fit: Fit = Fit.WHOLE
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """A list as people read it; ``ident`` returns what ``-o id`` writes for a row."""

    columns: Sequence[Column[Row]]
    ident: Callable[[Row], object]


def print_table(
    console: Console, table: Table[Row], rows: Sequence[Row], *, wide: bool = False
) -> None:
    """Print rows with their headers, at most as wide as the terminal unless ``wide``."""
    fits = console.file.isatty() and not wide
    columns = [column for column in table.columns if wide or not column.wide]
    rendered = [_RenderedColumn.of(column, rows, exact=not fits) for column in columns]
    if fits:
        rendered = _fit_columns([one for one in rendered if not one.is_empty], console.width)
    for line in _lines(console, rendered):
        console.print(line, soft_wrap=True)


@dataclass(slots=True)
class _RenderedColumn:
    """A column with its texts and its width in cells."""

    header: Text
    texts: list[Text]
    drop_order: int | None
    fit: Fit
    width: int

    @classmethod
    def of(cls, column: Column[Row], rows: Sequence[Row], *, exact: bool) -> "_RenderedColumn":
        cell = column.exact if exact and column.exact else column.cell
        texts = [_text(cell(row)) for row in rows]
        header = Text(column.header, style="bold")
        width = max(one.cell_len for one in (header, *texts))
        return cls(header, texts, column.drop_order, column.fit, width)

    @property
    def is_empty(self) -> bool:
        return not any(self.texts)

    @property
    def wanted(self) -> int:
        return self.width if self.fit is Fit.WHOLE else min(self.width, _READABLE_WIDTH)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(clean(cell))


def _fit_columns(rendered: list[_RenderedColumn], room: int) -> list[_RenderedColumn]:
    kept_columns = list(rendered)
    for one in sorted((one for one in rendered if one.drop_order is not None), key=_order):
        if _total(column.wanted for column in kept_columns) <= room:
            break
        kept_columns.remove(one)
    _shorten(kept_columns, room)
    return kept_columns


def _order(column: _RenderedColumn) -> int:
    return column.drop_order or 0


def _shorten(kept_columns: list[_RenderedColumn], room: int) -> None:
    """Shorten the widest text until the row fits."""
    soft = [one for one in kept_columns if one.fit is not Fit.WHOLE]
    over = _total(one.width for one in kept_columns) - room
    while over > 0 and soft:
        widest = max(soft, key=lambda one: one.width)
        if widest.width <= _MIN_WIDTH:
            return
        widest.width -= 1
        over -= 1


def _total(widths: Iterator[int]) -> int:
    each = list(widths)
    return sum(each) + _GAP * (len(each) - 1)


def _lines(console: Console, rendered: list[_RenderedColumn]) -> Iterator[Text]:
    yield _join_cells([(one.header, one.width) for one in rendered])
    count = max((len(one.texts) for one in rendered), default=0)
    for number in range(count):
        cells = [_fit_cell(console, one.texts[number], one) for one in rendered]
        for line in range(max(map(len, cells))):
            parts = (part[line] if line < len(part) else Text() for part in cells)
            yield _join_cells(list(zip(parts, (one.width for one in rendered), strict=True)))


def _fit_cell(console: Console, text: Text, column: _RenderedColumn) -> list[Text]:
    if text.cell_len <= column.width:
        return [text]
    if column.fit is Fit.FOLD:
        return list(text.wrap(console, column.width))
    short = text.copy()
    short.truncate(column.width, overflow="ellipsis")
    return [short]


def _join_cells(cells: list[tuple[Text, int]]) -> Text:
    line = Text()
    for text, width in cells:
        line.append_text(text)
        line.append(" " * (width - text.cell_len + _GAP))
    line.rstrip()
    return line
