"""The result as people and programs read it: a plain table, the machine, a JSON document."""

import json
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures, milliseconds

NAME_WIDTH = 46
GIB = 1024**3
LIBRARIES = ("temporalio", "fastapi", "uvicorn", "sqlalchemy", "asyncpg")


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was aimed at; ``must`` when missing it makes the run fail."""

    name: str
    shown: str
    reached: bool
    must: bool = False


@dataclass(slots=True)
class Report:
    """What one run has found."""

    machine: dict[str, Any]
    times: dict[str, Figures] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Return whether nothing was lost or wrong; speed does not count."""
        return all(check.reached for check in self.checks if check.must)

    def text(self) -> str:
        """Return the table."""
        lines = ["", f"{'':<{NAME_WIDTH}}{'p50':>10}{'p95':>10}{'p99':>10}{'calls':>8}{'per s':>8}"]
        lines += [_row(name, one) for name, one in self.times.items()]
        for name, costs in self.costs.items():
            lines += ["", f"{name}:"]
            lines += [
                f"  {part:<{NAME_WIDTH + 12}}{milliseconds(cost):>10}"
                for part, cost in costs.items()
            ]
        lines.append("")
        lines += [verdict(check) for check in self.checks]
        lines += ["", *(f"{name}: {value}" for name, value in self.machine.items())]
        return "\n".join(lines)

    def write(self, file: Path) -> None:
        """Write everything as JSON."""
        document = {
            "machine": self.machine,
            "milliseconds": {name: one.document() for name, one in self.times.items()},
            "processorMilliseconds": self.costs,
            "checks": [
                {"name": one.name, "shown": one.shown, "reached": one.reached, "must": one.must}
                for one in self.checks
            ],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=2) + "\n")


def machine(temporal: str, postgres: str) -> dict[str, Any]:
    """Describe where the run took place."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    load = os.getloadavg()[0]
    return {
        "cores": os.cpu_count(),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "load before": f"{load:.1f}",
        "Python": platform.python_version(),
        "Temporal": temporal,
        "Postgres": postgres,
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    }


def _row(name: str, one: Figures) -> str:
    cells = "".join(f"{milliseconds(value):>10}" for value in (one.p50, one.p95, one.p99))
    rate = f"{one.per_second:>8.1f}" if one.per_second else ""
    return f"{name:<{NAME_WIDTH}}{cells}{one.count:>8}{rate}"


def verdict(check: Check) -> str:
    """Write what became of an aim."""
    word = "yes" if check.reached else "NO"
    return f"{word:<4}{check.name}: {check.shown}"
