"""Finding provisioners, which are commands that run on the worker, before anything is applied."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_REMOVED = re.compile(r'^\s*removed\s*\{|"removed"\s*:', re.MULTILINE)
_PROVISIONER = re.compile(r'\bprovisioner\s+"|"provisioner"\s*:')


def provisioners_in(plan: dict[str, Any]) -> list[str]:
    """Name what has provisioners in a plan in JSON, such as ``local-exec of null_resource.x``."""
    root = plan.get("configuration", {}).get("root_module", {})
    return list(_in_module(root, prefix=""))


def _in_module(module: dict[str, Any], *, prefix: str) -> Iterator[str]:
    for resource in module.get("resources", ()):
        for provisioner in resource.get("provisioners", ()):
            yield f"{provisioner.get('type', 'unknown')} of {prefix}{resource.get('address')}"
    for name, call in module.get("module_calls", {}).items():
        yield from _in_module(call.get("module", {}), prefix=f"{prefix}module.{name}.")


def provisioners_of_removed(*folders: Path) -> list[str]:
    """Name files in which a ``removed`` block may have provisioners: the plan does not show them.

    It reads no HCL: a file with both is named, even where they do not belong together.
    """
    return [
        file.name
        for folder in folders
        for pattern in ("*.tf", "*.tf.json")
        for file in sorted(folder.rglob(pattern))
        if file.is_file() and _both(file.read_text(encoding="utf-8", errors="replace"))
    ]


def _both(text: str) -> bool:
    return bool(_REMOVED.search(text) and _PROVISIONER.search(text))
