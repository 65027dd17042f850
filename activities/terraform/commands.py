"""Finds what runs commands on the worker in a module, before any of it has run.

Providers are programs too, and no list of them is complete: this finds what is written in the
module and names a command, not what a provider does by itself.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from activities.terraform.hcl import HclBlock, read_folder

PROVISIONER = "provisioner"
PLUGINS = "terraform.d"
"""A folder beside the root module from which Terraform installs providers automatically."""

RUNNING_TYPES = frozenset(
    {
        "external",
        "local_command",
        "shell_script",
        "shell_sensitive_script",
        "ansible_playbook",
        "ansible_playbook_run",
        "ansible_vault",
    }
)
"""Types of data sources, resources and actions that run a command which the module names.

A playbook has tasks for the worker; Ansible also runs the password file of a vault.
"""

RUNNING_MEMBERS = frozenset({"postrender"})
"""What names a program in a resource or data source: Helm pipes a chart through it."""

RUNNING_KEYS = frozenset(
    {
        "exec",
        "config_path",
        "config_paths",
        "ssh_opts",
        "credential_process",
        "shared_config_file",
        "shared_config_files",
        "shared_credentials_file",
        "shared_credentials_files",
    }
)
"""What names a program, or a file that may name one, in the configuration of a provider or backend.

Kubernetes and Helm log in with ``exec``, which their files (``config_path``) may have as well;
ssh's options, given by Docker, have a ``ProxyCommand``; the AWS files a ``credential_process``.
"""

_TYPED_BLOCKS = frozenset({"resource", "data", "ephemeral", "action"})
_CONFIGURED_BLOCKS = frozenset({"provider", "backend"})
_EXTERNAL_BLOCKS = frozenset({"key_provider", "method"})


def commands_in(folder: Path, *, module: str = "") -> list[str]:
    """Return what runs commands in one folder; ``module`` is a prefix such as ``module.inner.``.

    Raises UnreadableFileError for a file that cannot be parsed.
    """
    found = []
    for name, content in read_folder(folder).items():
        for block in content.blocks:
            found += [f"{command} in {name}" for command in _commands_in_block(block, module)]
    if not module and (folder / PLUGINS).exists():
        found.append(f"plugins in {PLUGINS}")
    return found


def commands_in_backend(config: Mapping[str, Any]) -> list[str]:
    """Return what runs commands in the item's backend configuration."""
    return [f"{key} of the backend" for key in sorted(_all_keys(config) & RUNNING_KEYS)]


def commands_in_plan(plan: dict[str, Any]) -> list[str]:
    """Return the provisioners in a JSON plan: what Terraform itself has read."""
    root = plan.get("configuration", {}).get("root_module", {})
    return list(_provisioners_in(root, prefix=""))


def module_folders(root: Path, data: Path) -> dict[str, Path]:
    """Return the folder of every module that init has installed, by its address.

    ``root`` is the folder in which Terraform runs, ``data`` Terraform's own.
    """
    try:
        listed = json.loads((data / "modules" / "modules.json").read_bytes())
    except FileNotFoundError:
        return {}
    return {
        "".join(f"module.{name}." for name in str(one["Key"]).split(".")): root / str(one["Dir"])
        for one in listed["Modules"]
        if one["Key"]
    }


def links_out_of(folder: Path, *inside: Path) -> list[str]:
    """Return the symbolic links below a folder that lead out of the folders in ``inside``."""
    allowed = [place.resolve() for place in inside]
    found = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent) / name
            if path.is_symlink() and not _is_within(path, allowed):
                found.append(str(path.relative_to(folder)))
    return sorted(found)


def _is_within(path: Path, allowed: list[Path]) -> bool:
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        return False  # A circular link leads nowhere.
    return any(real.is_relative_to(place) for place in allowed)


def _commands_in_block(block: HclBlock, module: str) -> Iterator[str]:
    owner = f"{module}{'.'.join(block.labels)}" if block.labels else f"a {block.type} block"
    for inner in block.within():
        if inner.type == PROVISIONER or inner.labels[:1] == (PROVISIONER,):
            yield f"{inner.labels[0] if inner.labels else PROVISIONER} of {owner}"
        elif inner.type in _TYPED_BLOCKS and inner.labels[:1] and inner.labels[0] in RUNNING_TYPES:
            yield f"{inner.type} {module}{'.'.join(inner.labels)}"
        elif inner.type in _EXTERNAL_BLOCKS and inner.labels[:1] == ("external",):
            yield f"{inner.type} external"
        elif inner.type in _CONFIGURED_BLOCKS:
            yield from (
                f"{key} of {inner.type} {'.'.join(inner.labels)}"
                for key in _running_keys(inner, RUNNING_KEYS)
            )
        elif inner.type in _TYPED_BLOCKS and inner.labels:
            named = f"{inner.type} {module}{'.'.join(inner.labels)}"
            yield from (f"{key} of {named}" for key in _running_keys(inner, RUNNING_MEMBERS))


def _running_keys(block: HclBlock, running: frozenset[str]) -> list[str]:
    """Return the keys below a block that name a program, as attribute, block, or dynamic block."""
    found: set[str] = set()
    for inner in block.within():
        found |= {inner.type, *inner.labels[:1]} if inner is not block else set()
        for attribute in inner.attributes:
            found |= {attribute.name, *attribute.keys}
    return sorted(found & running)


def _all_keys(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {str(key) for key in value}.union(*map(_all_keys, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_all_keys, value))
    return set()


def _provisioners_in(module: dict[str, Any], *, prefix: str) -> Iterator[str]:
    for resource in module.get("resources", ()):
        for provisioner in resource.get("provisioners", ()):
            yield f"{provisioner.get('type', 'unknown')} of {prefix}{resource.get('address')}"
    for name, call in module.get("module_calls", {}).items():
        yield from _provisioners_in(call.get("module", {}), prefix=f"{prefix}module.{name}.")
