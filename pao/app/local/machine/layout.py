"""Where the services of one machine are: folder, account, ports, the files of their settings."""

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pao.app.local.build import own_build
from pao.app.local.home import Home


@dataclass(frozen=True)
class MachineLayout:
    """One installation; with ``account`` None the services run as the user who installs them."""

    home: Home
    units: Path
    account: str | None
    api_port: int = 8080
    temporal_port: int = 7233
    temporal_ui_port: int = 8233
    postgres_port: int = 5433

    @property
    def settings_file(self) -> Path:
        """The file that people write: JIRA, catalog, teams."""
        return self.home.folder / "pao.env"

    @property
    def machine_file(self) -> Path:
        """The file that is rewritten each time: addresses and secrets of this machine."""
        return self.home.folder / "machine.env"

    @property
    def owner_file(self) -> Path:
        """The file with the address of the owner of the database."""
        return self.home.folder / "owner.env"

    @property
    def catalog(self) -> Path:
        """The folder of the catalog, unless the settings name another."""
        return self.home.folder / "catalog"

    @property
    def backups(self) -> Path:
        """The folder of the nightly backups."""
        return self.home.folder / "backups"

    @property
    def cache(self) -> Path:
        """The folder of the Temporal program."""
        return self.home.folder / "cache"

    @property
    def api_url(self) -> str:
        """Where the API answers on this machine."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def command(self) -> str:
        """The command of this installation of PAO."""
        return f"{sys.executable} -P -m pao"

    @cached_property
    def build_id(self) -> str:
        """The id of this build of the worker."""
        return own_build()


def default_layout(home: Path | None = None) -> tuple[Path, Path, str | None]:
    """Return folder, folder of units and account: of the system for root, else of the user."""
    if os.geteuid() == 0:
        return home or Path("/var/lib/pao"), Path("/etc/systemd/system"), "pao"
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return home or data / "pao", config / "systemd/user", None
