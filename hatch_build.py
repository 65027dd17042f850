"""Builds the wheel: with the scripts of others that the pages need."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from pao.app.local.web_scripts import fetch


class WebScripts(BuildHookInterface[Any]):
    """Fetches them before files are collected; a wheel without them is not built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the scripts, except for an editable install, which is served from here."""
        del build_data
        if version != "editable":
            fetch()
