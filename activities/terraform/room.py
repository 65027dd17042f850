"""The private directory of one execution: what is in it, and the environment of its commands."""

import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.options.terraform import TerraformOptions
from activities.terraform import rescue

OVERRIDE = "pao_backend_override.tf.json"
CLI_CONFIG = "disable_checkpoint = true\n"


@dataclass(frozen=True, slots=True)
class Room:
    """The paths below one private folder, which only its owner may enter."""

    root: Path
    used: int | None = None
    """The descriptor that tells other processes that the folder is in use."""

    @property
    def module(self) -> Path:
        """The copy of the source; the module itself may be a folder below it."""
        return self.root / "source"

    @property
    def data(self) -> Path:
        """Terraform's own folder: providers, modules, and which backend it uses."""
        return self.root / "data"

    @property
    def plan(self) -> Path:
        """The saved plan."""
        return self.root / "plan"

    @property
    def variables(self) -> Path:
        """The values of variables; never on a command line, where every user can read them."""
        return self.root / "variables.tfvars.json"

    @property
    def backend(self) -> Path:
        """The configuration of the backend; credentials may be in it."""
        return self.root / "backend.json"

    def write_backend(self, where: Path, kind: str, config: Mapping[str, Any]) -> None:
        """Have the module in ``where`` use this backend, whatever it says itself."""
        write_json(self.backend, config)
        (where / OVERRIDE).unlink(missing_ok=True)
        write_json(where / OVERRIDE, {"terraform": {"backend": {kind: {}}}})

    def backend_in_use(self) -> str | None:
        """Name the backend that Terraform has set up; None for its default, a local file."""
        kind = self._set_up().get("type")
        return str(kind) if kind else None

    def backend_config(self) -> dict[str, Any]:
        """Return the configuration of that backend, the module's and the item's together."""
        return dict(self._set_up().get("config") or {})

    def _set_up(self) -> dict[str, Any]:
        try:
            told = json.loads((self.data / "terraform.tfstate").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return dict(told.get("backend") or {})

    def without_paths(self, text: str) -> str:
        """Give a text in which files are named as within the module."""
        text = re.sub(f"{re.escape(str(self.variables))} line \\d+", "variables", text)
        text = text.replace(f"{self.module}/", "")
        # A state that could be kept nowhere else stays in the folder: its path is to be told.
        return re.sub(f"{re.escape(str(self.root))}/(?!{rescue.UNWRITTEN_STATE})", "", text)

    def keep_printed(self, content: bytes) -> Path:
        """Keep a state here that could be kept nowhere else."""
        kept = self.root / rescue.UNWRITTEN_STATE
        kept.write_bytes(content)
        return kept

    def lend(self, file: Path) -> Path:
        """Give a file that is to be read by Terraform."""
        return file


@asynccontextmanager
async def private_room(name: str, unwritten: Path) -> AsyncIterator[Room]:
    """Make a directory (0700), and remove it afterwards except for a state kept nowhere else."""
    root = rescue.make_room(name)
    try:
        with rescue.in_use(root) as descriptor:
            for folder in ("home", "tmp"):
                (root / folder).mkdir(mode=0o700)
            yield Room(root, descriptor)
    finally:
        # Plugins are hundreds of megabytes: removing them must not hold up the heartbeats.
        await asyncio.to_thread(rescue.clear, root, unwritten, name)


def environment(room: Room, options: TerraformOptions) -> dict[str, str]:
    """Give all that commands get: a home of their own, and what the operator has listed."""
    config = options.cli_config or room.root / "terraform.rc"
    if options.cli_config is None:
        config.write_text(CLI_CONFIG)
    own = {
        "PATH": options.search_path,
        "HOME": str(room.root / "home"),
        "TMPDIR": str(room.root / "tmp"),
        "LANG": "C.UTF-8",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_DATA_DIR": str(room.data),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        # Whatever asks for a password would wait for ever.
        "GIT_TERMINAL_PROMPT": "0",
        # A module comes from the network, never from a file of this machine or by a program.
        "GIT_ALLOW_PROTOCOL": "https:ssh:http",
    }
    if options.plugin_cache is not None:
        own["TF_PLUGIN_CACHE_DIR"] = str(options.plugin_cache)
        own["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    return own | dict(options.environment)


def write_json(file: Path, content: Any) -> None:
    """Write a file that only its owner may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream)


def unwritten_folder(options: TerraformOptions) -> Path:
    """Return the one folder in which states are kept that no backend took."""
    parent = options.state_folder or Path(tempfile.gettempdir())
    return parent / "pao-terraform-unwritten-states"
