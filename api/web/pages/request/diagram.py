"""A diagram of steps that depend on each other: boxes in columns, drawn by the server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 190, 44, 56, 16, 4
LETTERS = 24


@dataclass(frozen=True, slots=True)
class DiagramNode:
    """A step, or a component of a bundle."""

    id: str
    name: str
    status: str
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiagramBox:
    """A node with its position."""

    node: DiagramNode
    x: int
    y: int

    @property
    def name(self) -> str:
        """The name, as much of it as fits."""
        name = self.node.name
        return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, and the curves between them as SVG paths."""

    boxes: list[DiagramBox]
    curves: list[str]
    width: int
    height: int


def diagram_of(nodes: Sequence[DiagramNode], *, chains: bool = False) -> Diagram | None:
    """Return the diagram, or None where the steps are a plain list.

    With ``chains`` a list in which each waits for the one before is drawn as well.
    """
    if not chains and all(len(one.after) <= 1 for one in nodes) and _is_chain(nodes):
        return None
    columns = _columns(nodes)
    if max(columns.values(), default=0) == 0:
        return None
    rows: dict[int, int] = {}
    boxes: dict[str, DiagramBox] = {}
    for node in nodes:
        column = columns[node.id]
        row = rows.get(column, 0)
        rows[column] = row + 1
        boxes[node.id] = DiagramBox(
            node, EDGE + column * (WIDTH + GAP_X), EDGE + row * (HEIGHT + GAP_Y)
        )
    curves = [
        _curve(boxes[name], boxes[node.id])
        for node in nodes
        for name in node.after
        if name in boxes
    ]
    return Diagram(
        list(boxes.values()),
        curves,
        max(one.x for one in boxes.values()) + WIDTH + EDGE,
        max(one.y for one in boxes.values()) + HEIGHT + EDGE,
    )


def _is_chain(nodes: Sequence[DiagramNode]) -> bool:
    followed = [name for node in nodes for name in node.after]
    starts = sum(not node.after for node in nodes)
    return len(followed) == len(set(followed)) and starts <= 1


def _columns(nodes: Sequence[DiagramNode]) -> dict[str, int]:
    """Return the column of each node: one more than that of what it waits for.

    Nodes are in an order in which what they wait for comes before them.
    """
    columns: dict[str, int] = {}
    for node in nodes:
        before = [columns[name] for name in node.after if name in columns]
        columns[node.id] = 1 + max(before, default=-1)
    return columns


def _curve(start: DiagramBox, end: DiagramBox) -> str:
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    half = GAP_X // 2
    return f"M{x1} {y1}C{x1 + half} {y1} {x2 - half} {y2} {x2} {y2}"
