"""Where the state of an execution is stored; without one, a retry would create duplicates."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from activities.action_errors import ActionFailedError
from activities.options.terraform import TerraformOptions
from activities.terraform.execution_spec import ExecutionSpec
from activities.terraform.hcl import HclBlock
from activities.terraform.os_account import hand_over
from activities.terraform.state_location import WITHOUT_WORKSPACES
from activities.terraform.working_directory import WorkingDirectory
from pao.core.failure_classes import BAD_CALL, NOT_ALLOWED, NOT_SET

REMOTE_RUNS = frozenset({"cloud", "remote"})
LOCAL = "local"


def write(
    spec: ExecutionSpec,
    directory: WorkingDirectory,
    folder: Path,
    *,
    files: Mapping[str, HclBlock],
    options: TerraformOptions,
) -> str | None:
    """Write the item's backend, or the operator's state folder if the module declares none.

    Returns the type of the backend that was written; None if the module's own is used.
    """
    if spec.backend is not None:
        config = spec.backend_config
        if spec.backend == LOCAL:
            config = {**config, **_local_paths(config, directory, options)}
        directory.write_backend(folder, spec.backend, config)
        return spec.backend
    if declared_backend(files) is None and options.state_folder is not None:
        states = options.state_folder / _state_folder_name(spec)
        states.mkdir(mode=0o700, parents=True, exist_ok=True)
        hand_over(states, directory.account)
        directory.write_backend(folder, LOCAL, _local_config(directory.shared_paths.to(states)))
        return LOCAL
    return None


def check(spec: ExecutionSpec, directory: WorkingDirectory, *, written: str | None) -> None:
    """Raise, after init, if the state would be lost or kept elsewhere than configured."""
    used = directory.backend_in_use()
    if written is not None and used != written:
        raise ActionFailedError(
            f"A file of the module overrides the backend {written} by {used or 'none'}; nothing "
            "was changed. Take the backend out of the module's override files.",
            judged=NOT_ALLOWED,
        )
    if used in REMOTE_RUNS:
        raise ActionFailedError(
            f"The module runs in HCP Terraform (backend {used!r}), which this action does not do. "
            "Give the action another backend.",
            judged=NOT_ALLOWED,
        )
    if spec.plan_only or (used is not None and directory.backend.exists()):
        return
    if used in {None, LOCAL}:
        raise ActionFailedError(
            "The state of this module would be lost with the worker's private directory. Name a "
            "backend in the action, or in the module, or have the operator set "
            "TERRAFORM_STATE_PATH.",
            judged=NOT_SET,
        )


def has_workspaces(directory: WorkingDirectory) -> bool:
    """Return whether the backend in use supports workspaces."""
    return directory.backend_in_use() not in WITHOUT_WORKSPACES


def declared_backend(files: Mapping[str, HclBlock]) -> tuple[str, dict[str, str]] | None:
    """Return the backend that a module declares, with the settings that are plain texts."""
    for content in files.values():
        for block in content.blocks:
            for inner in block.blocks if block.type == "terraform" else ():
                if inner.type in {"backend", "cloud"}:
                    kind = inner.labels[0] if inner.labels else inner.type
                    return kind, {one.name: _literal_text(one.text) for one in inner.attributes}
    return None


def _literal_text(text: str) -> str:
    """Return the text of a literal; anything else unchanged."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def _local_paths(
    config: Mapping[str, Any], directory: WorkingDirectory, options: TerraformOptions
) -> dict[str, Any]:
    """Return the paths of a local backend; raises unless they are below the operator's folder."""
    if options.state_folder is None:
        raise ActionFailedError(
            "The backend local keeps its state on the worker: the operator must name the folder "
            "in TERRAFORM_STATE_PATH. Another backend needs no folder.",
            judged=NOT_SET,
        )
    root = options.state_folder.resolve()
    path = (root / str(config.get("path", "terraform.tfstate"))).resolve()
    folder = (root / str(config.get("workspace_dir", f"{path.stem}.workspaces"))).resolve()
    if not path.is_relative_to(root) or not folder.is_relative_to(root):
        raise ActionFailedError(
            f"The paths of the backend local must be below {root} (TERRAFORM_STATE_PATH).",
            judged=BAD_CALL,
        )
    if directory.account is None:
        return {"path": str(path), "workspace_dir": str(folder)}
    for place, names in ((path.parent, f"*{path.name}*"), (folder, "*")):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        hand_over(place, directory.account, names=names)
    return {
        "path": f"{directory.shared_paths.to(path.parent)}/{path.name}",
        "workspace_dir": directory.shared_paths.to(folder),
    }


def _local_config(states: str) -> dict[str, Any]:
    return {"path": f"{states}/default.tfstate", "workspace_dir": f"{states}/workspaces"}


def _state_folder_name(spec: ExecutionSpec) -> str:
    """Return the folder of a module's states: workspaces of two modules must never collide."""
    address = spec.source.address
    digest = hashlib.sha256(address.encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", address).strip("-")[-40:].strip("-")
    return f"{readable}-{digest}"
