"""Cleanup instructions for a state: its location, and commands to copy."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.terraform.execution_spec import ExecutionSpec, ModuleSource
from activities.terraform.state_location import (
    WITHOUT_WORKSPACES,
    location_settings,
    without_account,
)
from activities.terraform.working_directory import WorkingDirectory

FOLDER = "module"
_LOCK_ADDRESSES = ("lock_address", "unlock_address")
_CONNECTION_KEYS = (
    *_LOCK_ADDRESSES,
    "lock_method",
    "unlock_method",
    "update_method",
    "dynamodb_table",
    "use_lockfile",
    "endpoints",
    "use_path_style",
    "force_path_style",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "encrypt",
)


@dataclass(frozen=True, slots=True)
class StateLocation:
    """A state for people: ``commands`` end in the module's folder, where its state is selected.

    Neither contains credentials: the person who cleans up uses their own.
    """

    text: str
    commands: str
    program: str

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def destroy(self, address: str) -> str:
        """Return the commands that destroy one resource in the state."""
        return f"{self.commands} && {self.program} destroy -target={shlex.quote(address)}"


def describe_location(
    spec: ExecutionSpec, directory: WorkingDirectory, *, program: str, backend: str
) -> StateLocation:
    """Return where the state of an initialized module is."""
    settings = location_settings(directory.backend_config())
    shown = ", ".join(f"{key} {value}" for key, value in settings.items())
    place = f"the backend {backend}{f' ({shown})' if shown else ''}"
    stateful = backend in WITHOUT_WORKSPACES
    text = f"the state in {place}" if stateful else f"workspace {spec.workspace} of {place}"
    name = Path(program).name
    written = directory.backend.exists()
    config = settings | _connection_settings(directory.backend_config())
    steps = [
        *_module_commands(spec.source, name),
        *_init_commands(name, backend, config, written=written),
    ]
    if not stateful:
        steps.append(f"{name} workspace select {shlex.quote(spec.workspace)}")
    return StateLocation(
        f"{text}, module {_describe_module(spec.source)}", " && ".join(steps), name
    )


def _describe_module(source: ModuleSource) -> str:
    address = without_account(str(source))
    return address if source.ref or source.version or source.path else f"{address} (newest)"


def _module_commands(source: ModuleSource, program: str) -> list[str]:
    folder = shlex.quote(str(Path(FOLDER) / source.directory))
    if source.git is not None:
        address = source.git if source.git.startswith("ssh:") else without_account(source.git)
        steps = [f"git clone {shlex.quote(address)} {FOLDER}"]
        if source.ref:
            steps.append(f"git -C {FOLDER} checkout {shlex.quote(source.ref)}")
        return [*steps, f"cd {folder}"]
    if source.registry is not None:
        call = {"source": source.registry} | ({"version": source.version} if source.version else {})
        document = _json_argument({"module": {"root": call}})
        place = shlex.quote(str(Path(".terraform/modules/root") / source.directory))
        made = f"mkdir {FOLDER} && cd {FOLDER} && printf %s {document} > main.tf.json"
        return [made, f"{program} get", f"cd {place}"]
    return [f"cp -r {shlex.quote(source.path or '')} {FOLDER}", f"cd {folder}"]


def _init_commands(
    program: str, backend: str, config: Mapping[str, Any], *, written: bool
) -> list[str]:
    if not written:
        return [f"{program} init"]
    document = _json_argument({"terraform": {"backend": {backend: config}}})
    return [f"printf %s {document} > backend_override.tf.json", f"{program} init"]


def _connection_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings for reaching and locking the state, without credentials."""
    settings = {key: config[key] for key in _CONNECTION_KEYS if config.get(key)}
    return settings | location_settings(settings, keys=_LOCK_ADDRESSES)


def _json_argument(document: Mapping[str, Any]) -> str:
    """Return a document as a command's argument, with Terraform's templates escaped."""
    text = json.dumps(document).replace("${", "$${").replace("%{", "%%{")
    return shlex.quote(text)
