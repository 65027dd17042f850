"""Reads the ports of an earlier `pao install` from its units."""

import re
from dataclasses import replace

from pao.app.local.machine import units
from pao.app.local.machine.layout import MachineLayout
from pao.app.local.processes import LocalError

_PORT = re.compile(r" --port (\d+)")
_UI_PORT = re.compile(r" --ui-port (\d+)")
_API_PORT = re.compile(r"^PAO_PORT=(\d+)$", re.MULTILINE)


def with_installed_ports(layout: MachineLayout) -> MachineLayout:
    """Return the layout with the ports of its installation; unchanged if there is none."""
    try:
        postgres = (layout.units / units.POSTGRES).read_text("utf-8")
        temporal = (layout.units / units.TEMPORAL).read_text("utf-8")
        machine = layout.machine_file.read_text("utf-8")
    except FileNotFoundError:
        return layout
    return replace(
        layout,
        api_port=_read(_API_PORT, machine),
        postgres_port=_read(_PORT, postgres),
        temporal_port=_read(_PORT, temporal),
        temporal_ui_port=_read(_UI_PORT, temporal),
    )


def _read(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    if found is None:
        raise LocalError("The units were changed by hand: run `pao install` again")
    return int(found[1])
