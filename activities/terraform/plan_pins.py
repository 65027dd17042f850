"""The identity of a Terraform plan: stored with it, compared before another one is applied."""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from activities.action_errors import ActionFailedError
from activities.terraform.execution_spec import ExecutionSpec
from activities.terraform.state_location import place_digest
from pao.core.failure_classes import CONFLICT

SHOWN = 10
MANIFEST = "modules.json"
_TAINTED = "replace_because_tainted"
_NO_CHANGE = frozenset({"no-op", "read"})
_PIN_KEYS = ("source", "commit", "module", "variables", "place", "summary", "changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a plan does to which resource, such as ``create`` or ``delete/create``.

    ``tainted`` are those that it replaces because an earlier attempt created them only half.
    """

    by_address: Mapping[str, str]
    tainted: frozenset[str]


def changes_in(plan: Mapping[str, Any]) -> Changes:
    """Read what a plan in JSON changes."""
    by_address = {}
    tainted = set()
    for resource in plan.get("resource_changes") or ():
        address = str(resource.get("address"))
        actions = [str(one) for one in (resource.get("change") or {}).get("actions") or ()]
        if not _NO_CHANGE.issuperset(actions):
            by_address[address] = "/".join(actions)
        if resource.get("action_reason") == _TAINTED:
            tainted.add(address)
    return Changes(by_address=by_address, tainted=frozenset(tainted))


def digest_of(*folders: Path) -> str:
    """Return the digest of all files in these folders, their names and what may be executed."""
    digest = hashlib.sha256()
    for number, folder in enumerate(folders):
        for file in sorted(_files(folder)):
            if file == folder / MANIFEST:
                continue  # Terraform's list of modules names the private folder.
            name = f"{number}/{file.relative_to(folder)}"
            for part in (name.encode(errors="surrogateescape"), _content(file)):
                digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def variables_digest(variables: Mapping[str, Any]) -> str:
    """Return the digest of the variables' values; those of secrets must be masked before."""
    return hashlib.sha256(json.dumps(variables, sort_keys=True).encode()).hexdigest()


def state_place(spec: ExecutionSpec, *, mark: str) -> str:
    """Return the place of a state; all requests' own workspaces count as one."""
    own = spec.workspace == mark
    return place_digest(replace(spec, workspace="") if own else spec)


def check(
    approved: Mapping[str, Any], now: Mapping[str, Any], changes: Changes, *, first: bool
) -> None:
    """Raise ActionFailedError unless the plan is the approved one.

    After the first attempt it may be the rest of it: what an apply has not done, or only half.
    """
    different = [key for key in _PIN_KEYS if approved.get(key) != now.get(key)]
    if not first and _is_rest(approved.get("changes"), changes):
        different = [key for key in different if key not in {"summary", "changes"}]
    if different:
        raise ActionFailedError(
            "The plan is not the one that was approved; nothing was changed. It differs in "
            f"{', '.join(different)}. Approved was: {_describe_pin(approved)}. "
            f"Now it is: {_describe_pin(now)}. "
            "Bring the module and the values back to what was approved and retry, or abort and "
            "submit the request again, so that the new plan is approved.",
            judged=CONFLICT,
        )


def _is_rest(approved: Any, changes: Changes) -> bool:
    if not isinstance(approved, Mapping):
        return False
    return all(
        approved.get(address) == action
        or (
            address in changes.tainted
            and "create" in action.split("/")
            and approved.get(address) == "create"
        )
        for address, action in changes.by_address.items()
    )


def _describe_pin(pin: Mapping[str, Any]) -> str:
    changes = pin.get("changes")
    listed = sorted(changes.items()) if isinstance(changes, Mapping) else []
    named = ", ".join(f"{action} {address}" for address, action in listed[:SHOWN])
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    commit = f"commit {pin['commit']}, " if pin.get("commit") else ""
    return (
        f"{pin.get('source')}, {commit}module {str(pin.get('module'))[:12]}, variables "
        f"{str(pin.get('variables'))[:12]}, {pin.get('summary')} ({named}{more})"
    )


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [name for name in folders if name != ".git" and name not in linked]
        found += [Path(parent) / name for name in (*files, *linked)]
    return found


def _content(file: Path) -> bytes:
    if file.is_symlink():
        return b"link " + os.fsencode(file.readlink())
    executable = bool(file.stat().st_mode & stat.S_IXUSR)
    return (b"program " if executable else b"file ") + file.read_bytes()
