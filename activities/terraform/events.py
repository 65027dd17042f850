"""Parses Terraform's ``-json`` output lines, for the log and for failures."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pao.core.sentences import without_full_stop

LOGGED = frozenset(
    {
        "apply_start",
        "apply_complete",
        "apply_errored",
        "provision_start",
        "provision_complete",
        "provision_errored",
        "refresh_errored",
    }
)
"""Events that are logged. The output of provisioners is not: it may contain anything."""

PROVISIONER_OUTPUT = '"type":"provision_progress"'

ENDS = ("_complete", "_errored")
CHANGED = frozenset({"apply_start", "apply_complete", "apply_errored"})
MOST_ERRORS = 20
LOCK = re.compile(r"^[ \t]*(ID|Who|Operation|Created):[ \t]+(\S.*)$", re.MULTILINE)
LOCK_REFUSED = "Error acquiring the state lock"
LOCK_OF_HTTP = re.compile(r"already locked: ID=(\S+)")

Say = Callable[[str, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many resources a plan or an apply adds, changes, destroys and imports."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    imported: int = 0

    def __str__(self) -> str:
        """Return it in Terraform's words."""
        text = f"{self.add} to add, {self.change} to change, {self.destroy} to destroy"
        return f"{self.imported} to import, {text}" if self.imported else text


@dataclass(slots=True)
class Events:
    """Takes the lines of one command; lines that are not JSON are only counted."""

    info: Say
    warning: Say
    errors: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    """Operations in progress, during which the command holds the state's lock."""
    made: dict[str, str] = field(default_factory=dict)
    """Resources that were being created or changed, with their ids as far as reported."""
    summary: Summary | None = None
    program: str | None = None
    printed_state: dict[str, Any] | None = None
    """The state, if Terraform could write it neither to its backend nor to a file."""
    not_json: int = 0

    async def take(self, line: str) -> None:
        """Take one line."""
        if PROVISIONER_OUTPUT in line:
            return
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self.not_json += bool(line.strip())
            return
        kind = str(event.get("type", ""))
        self._follow(kind, event)
        if kind == "diagnostic":
            await self._diagnostic(event.get("diagnostic") or {})
        elif kind == "change_summary":
            self.summary = _summary(event.get("changes") or {})
        elif kind == "version":
            self.program = str(event.get("@message", ""))
        elif isinstance(event.get("state"), dict):
            self.printed_state = event["state"]
        elif kind in LOGGED:
            await self._hook(kind, event)

    def _follow(self, kind: str, event: dict[str, Any]) -> None:
        what, _, how = kind.rpartition("_")
        address = f"{what} {_address(event)}"
        if how == "start" and what in {"apply", "refresh"}:
            self.unfinished.add(address)
        elif kind.endswith(ENDS):
            self.unfinished.discard(address)

    async def _hook(self, kind: str, event: dict[str, Any]) -> None:
        address = _address(event)
        if kind in CHANGED:
            self.touched.add(address)
            hook = event.get("hook") or {}
            if hook.get("action") not in {"delete", "read"}:
                self.made[address] = str(hook.get("id_value") or self.made.get(address, ""))
        say = self.warning if kind.endswith("errored") else self.info
        await say(str(event.get("@message", "")), {"resource": address, "event": kind})

    async def _diagnostic(self, diagnostic: dict[str, Any]) -> None:
        text = describe(diagnostic)
        if diagnostic.get("severity") != "error":
            await self.warning(text, {})
        elif text not in self.errors and len(self.errors) < MOST_ERRORS:
            self.errors.append(text)

    @property
    def lock(self) -> dict[str, str] | None:
        """The holder of the state's lock, if the command failed because of it."""
        return parse_lock("\n".join(self.errors))


def describe(diagnostic: dict[str, Any]) -> str:
    """Return a diagnostic as text: where, what, and Terraform's explanation."""
    place = diagnostic.get("range") or {}
    line = (place.get("start") or {}).get("line")
    where = f"{place['filename']} line {line}: " if place.get("filename") and line else ""
    address = f"{diagnostic['address']}: " if diagnostic.get("address") else ""
    detail = str(diagnostic.get("detail") or "").strip()
    summary = str(diagnostic.get("summary") or "an error without a text").strip()
    text = without_full_stop(summary)
    return f"{where}{address}{text}. {detail}".strip()


def parse_lock(text: str) -> dict[str, str] | None:
    """Return the holder of the lock from Terraform's error; None for another error."""
    if LOCK_REFUSED not in text:
        return None
    if of_http := LOCK_OF_HTTP.search(text):
        # With the backend http Terraform reports its own attempt, not the holder.
        return {"id": of_http[1]}
    return {name.lower(): value.rstrip() for name, value in LOCK.findall(text)}


def _address(event: dict[str, Any]) -> str:
    resource = (event.get("hook") or {}).get("resource") or {}
    return str(resource.get("addr", ""))


def _summary(changes: dict[str, Any]) -> Summary:
    return Summary(
        add=int(changes.get("add", 0)),
        change=int(changes.get("change", 0)),
        destroy=int(changes.get("remove", 0)),
        imported=int(changes.get("import", 0)),
    )
