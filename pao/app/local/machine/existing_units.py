"""What an earlier `pao install` has chosen, read back from its units."""

import re
from dataclasses import replace

from pao.app.local.machine import units
from pao.app.local.machine.layout import Place
from pao.app.local.processes import LocalError

_PORT = re.compile(r" --port (\d+)")
_UI_PORT = re.compile(r" --ui-port (\d+)")
_API_PORT = re.compile(r"^PAO_PORT=(\d+)$", re.MULTILINE)


def with_its_ports(place: Place) -> Place:
    """Return the place with the ports that it was installed with; as it is where it was not."""
    try:
        postgres = (place.units / units.POSTGRES).read_text("utf-8")
        temporal = (place.units / units.TEMPORAL).read_text("utf-8")
        machine = place.machine_file.read_text("utf-8")
    except FileNotFoundError:
        return place
    return replace(
        place,
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
