"""Processor time and memory by part of the stack, from /proc; empty where there is none (macOS).

Unlike waiting time it hardly depends on what else the machine does.
"""

import os
from collections.abc import Mapping
from pathlib import Path

_PROC = Path("/proc")
_PARENT, _FIRST, _LAST = 1, 11, 14
"""Fields of /proc/PID/stat after the name: the parent, and four times up to that of children."""

PARTS = {
    "postgres": b"/postgres\0-D",
    "temporal": b"\0start-dev\0",
    "jira stand-in": b"\0jira-sandbox\0",
    "worker": b"\0worker\0",
    "api": b"\0api\0",
    "bare worker": b"\0benchmarks.bare\0",
}


def used() -> dict[str, float]:
    """Return the seconds that each part started by this process has used by now, by its name."""
    seconds: dict[str, float] = {}
    parents = {os.getpid(): ""}
    # Parts are our children; the backends of Postgres are children of a part.
    for _ in range(2):
        found: dict[int, str] = {}
        for process in _PROC.glob("[0-9]*"):
            stat = _stat(process)
            if stat and int(stat[_PARENT]) in parents:
                name = parents[int(stat[_PARENT])] or _part(process)
                found[int(process.name)] = name
                ticks = sum(map(int, stat[_FIRST : _LAST + 1]))
                seconds[name] = seconds.get(name, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
        parents = {pid: name for pid, name in found.items() if name}
    seconds.pop("", None)
    return seconds


def memory() -> dict[str, float]:
    """Return the megabytes that each part holds: its share of what it shares with others (PSS)."""
    held: dict[str, float] = {}
    for process in _PROC.glob("[0-9]*"):
        stat = _stat(process)
        if stat and int(stat[_PARENT]) == os.getpid() and (name := _part(process)):
            held[name] = held.get(name, 0.0) + _pss(process)
    return held


def spent(
    before: Mapping[str, float], after: Mapping[str, float], *, calls: int
) -> dict[str, float]:
    """Return the milliseconds per call between two measurings, the costliest part first."""
    costs = {name: (after[name] - before[name]) / calls * 1000 for name in after}
    return dict(sorted(costs.items(), key=lambda pair: -pair[1]))


def _stat(process: Path) -> list[str]:
    try:
        # The name in brackets may contain anything; the numbers follow its last bracket.
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _pss(process: Path) -> float:
    try:
        text = (process / "smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _part(process: Path) -> str:
    try:
        command = (process / "cmdline").read_bytes()
    except OSError:
        return ""
    return next((name for name, words in PARTS.items() if words in command), "")
