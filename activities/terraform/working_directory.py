"""The private directory of one execution: what is in it, and the environment of its commands."""

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from activities.options.terraform import OsAccount, TerraformOptions
from activities.terraform import state_rescue
from activities.terraform.os_account import SharedPaths, hand_over

OVERRIDE = "pao_backend_override.tf.json"
CLI_CONFIG = "disable_checkpoint = true\n"
RESERVE = "reserve"


@dataclass(frozen=True, slots=True)
class WorkingDirectory:
    """The paths below one private folder, which only its owner may enter."""

    root: Path
    used: int | None = None
    """The descriptor of the lock that marks the folder as in use."""
    shared_paths: SharedPaths = field(default_factory=lambda: SharedPaths(None))

    @property
    def account(self) -> OsAccount | None:
        """Who runs Terraform; None for the worker's own user."""
        return self.shared_paths.account

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
        return self.root / "home" / "plan"

    @property
    def variables(self) -> Path:
        """The values of variables; never on a command line, where every user can read them."""
        return self.root / "variables.tfvars.json"

    @property
    def backend(self) -> Path:
        """The configuration of the backend; credentials may be in it."""
        return self.root / "backend.json"

    def write_backend(self, where: Path, kind: str, config: Mapping[str, Any]) -> None:
        """Make the module in ``where`` use this backend, whatever it declares itself."""
        write_json(self.backend, config)
        (where / OVERRIDE).unlink(missing_ok=True)
        write_json(where / OVERRIDE, {"terraform": {"backend": {kind: {}}}})
        for file in (self.backend, where / OVERRIDE):
            hand_over(file, self.account)

    def write_variables(self, values: Mapping[str, Any]) -> None:
        """Write the values of variables."""
        write_json(self.variables, values)
        hand_over(self.variables, self.account)

    def make(self, folder: Path) -> None:
        """Make a folder in which Terraform writes."""
        folder.mkdir(mode=0o700, exist_ok=True)
        hand_over(folder, self.account)

    def written_backend(self) -> dict[str, Any]:
        """Return the configuration that was written for init, with real paths."""
        return self._with_real_paths(json.loads(self.backend.read_bytes()))

    def backend_in_use(self) -> str | None:
        """Return the backend that Terraform has set up; None for its default, a local file."""
        kind = self._backend_record().get("type")
        return str(kind) if kind else None

    def backend_config(self) -> dict[str, Any]:
        """Return the configuration of that backend, the module's and the item's together."""
        return self._with_real_paths(self._backend_record().get("config") or {})

    def _with_real_paths(self, config: Mapping[str, Any]) -> dict[str, Any]:
        named = self.shared_paths.named
        return {key: named(to) if isinstance(to, str) else to for key, to in config.items()}

    def _backend_record(self) -> dict[str, Any]:
        try:
            record = json.loads((self.data / "terraform.tfstate").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return dict(record.get("backend") or {})

    def without_paths(self, text: str) -> str:
        """Return a text with paths relative to the module."""
        text = self.shared_paths.named(text)
        text = re.sub(f"{re.escape(str(self.variables))} line \\d+", "variables", text)
        text = text.replace(f"{self.module}/", "")
        # A state that could be kept nowhere else stays in the folder, so its path is kept.
        return re.sub(f"{re.escape(str(self.root))}/(?!{state_rescue.UNWRITTEN_STATE})", "", text)

    def keep_printed(self, content: bytes) -> Path:
        """Keep a state here that could be kept nowhere else."""
        kept = self.root / state_rescue.UNWRITTEN_STATE
        try:
            kept.write_bytes(content)
        except OSError:
            kept.unlink(missing_ok=True)
            raise
        return kept

    def reserve(self, size: int) -> None:
        """Reserve space for a state of this size; raises OSError."""
        with (self.root / RESERVE).open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)

    def give_back_reserve(self) -> None:
        """Free the reserved space, for a state that must be kept now."""
        (self.root / RESERVE).unlink(missing_ok=True)

    def readable_copy(self, file: Path) -> Path:
        """Return the file, or a copy that Terraform's account may read."""
        if self.account is None:
            return file
        copy = self.root / "copy.tfstate"
        copy.unlink(missing_ok=True)
        shutil.copyfile(file, copy)
        hand_over(copy, self.account)
        return copy


@asynccontextmanager
async def private_directory(
    name: str, unwritten: Path, account: OsAccount | None = None
) -> AsyncIterator[WorkingDirectory]:
    """Make a directory (0700), and remove it afterwards except for a state kept nowhere else.

    Another account may enter it and writes in its folders; the directory stays the worker's.
    """
    root = state_rescue.make_private_directory(name)
    shared_paths = SharedPaths(account)
    try:
        with state_rescue.in_use(root) as descriptor:
            if account is not None:
                root.chmod(0o711)
            directory = WorkingDirectory(root, descriptor, shared_paths)
            for folder in (root / "home", root / "tmp", directory.data):
                directory.make(folder)
            yield directory
    finally:
        shared_paths.close()
        # In a thread: plugins are hundreds of megabytes, and heartbeats must not stop.
        await asyncio.to_thread(state_rescue.clear, root, unwritten, name)


def environment(directory: WorkingDirectory, options: TerraformOptions) -> dict[str, str]:
    """Return the environment of commands: a private home, and what the operator has listed."""
    config = options.cli_config or directory.root / "terraform.rc"
    if options.cli_config is None or directory.account is not None:
        given = options.cli_config.read_text() if options.cli_config else CLI_CONFIG
        config = directory.root / "terraform.rc"
        config.touch(mode=0o600)
        config.write_text(given)
        hand_over(config, directory.account)
    own = {
        "PATH": options.search_path,
        "HOME": str(directory.root / "home"),
        "TMPDIR": str(directory.root / "tmp"),
        "LANG": "C.UTF-8",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_DATA_DIR": str(directory.data),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        # A password prompt would wait forever.
        "GIT_TERMINAL_PROMPT": "0",
        # A module comes from the network, never from a file of this machine or by a program.
        "GIT_ALLOW_PROTOCOL": "https:ssh:http",
    }
    if options.plugin_cache is not None:
        options.plugin_cache.mkdir(parents=True, exist_ok=True)
        hand_over(options.plugin_cache, directory.account)
        own["TF_PLUGIN_CACHE_DIR"] = str(options.plugin_cache)
        own["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    return own | dict(options.environment)


def write_json(file: Path, content: Any) -> None:
    """Write a file that only its owner may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream)


def unwritten_folder(options: TerraformOptions) -> Path:
    """Return the folder of states that no backend has accepted."""
    parent = options.state_folder or Path(tempfile.gettempdir())
    return parent / "pao-terraform-unwritten-states"
