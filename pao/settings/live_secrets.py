"""Secrets that are refreshed while the process runs; every holder sees the newest value."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from pao.runtime.logging import redact_in_logs
from pao.settings.parameter_store import read_parameters, resolve_paths
from pao.settings.secret_files import resolve_files

READ_ONCE = frozenset(
    {
        "PAO_ENCRYPTION_KEYS",
        "DATABASE_URL",
        "PAO_MIGRATION_DATABASE_URL",
        "PAO_EGRESS_PROXY",
    }
)
"""Secrets that are read only at the start, because clients and keys are created from them."""

_AWS_VARIABLES = ("AWS_", "PAO_REGION")

Check = Callable[[str], str | None]
"""Returns why a value is invalid, without repeating it; None for a valid one."""


class LiveSecret(SecretStr):
    """A secret whose value is replaced when its store has a newer one."""

    def replace(self, value: str) -> None:
        """Set the value for every holder."""
        self._secret_value = value


@dataclass(frozen=True, slots=True)
class SecretRefresh:
    """The result of a refresh: names with a new value, and why others keep their last one."""

    changed: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


class LiveSecrets:
    """The secrets that were given by `<NAME>_PATH` or `<NAME>_FILE`, and of the file of JIRAs.

    ``paths`` are those of secrets without a variable; ``checks`` validate a value as at the start.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        secrets: Mapping[str, LiveSecret],
        *,
        paths: Mapping[str, str] | None = None,
        checks: Mapping[str, Check] | None = None,
    ) -> None:
        self._secrets = dict(secrets)
        self._checks = dict(checks or {})
        self._paths = dict(paths or {})
        sources = {f"{name}{end}" for name in secrets for end in ("_PATH", "_FILE")}
        # Not the values themselves, which are kept in one place.
        self._environ = {
            name: value
            for name, value in environ.items()
            if name in sources or name.startswith(_AWS_VARIABLES)
        }
        self._read_at = dict.fromkeys(secrets, time.monotonic())
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def value(self, name: str) -> str:
        """Return the newest value of a secret."""
        return self._secrets[name].get_secret_value()

    def ages(self) -> dict[str, float]:
        """Return for each secret the seconds since it was last read."""
        now = time.monotonic()
        return {name: now - at for name, at in self._read_at.items()}

    def refresh(self) -> SecretRefresh:
        """Read every secret from its store. Blocks.

        One that cannot be read, or whose new value is invalid, keeps its last value.
        """
        with self._lock:
            found, unread = self._read_all()
            changed = []
            for name, value in found.items():
                if refusal := self._refusal(name, value):
                    unread[name] = f"its new value is refused: {refusal}"
                    continue
                self._read_at[name] = time.monotonic()
                if value != self._secrets[name].get_secret_value():
                    redact_in_logs([value])
                    self._secrets[name].replace(value)
                    changed.append(name)
            return SecretRefresh(tuple(sorted(changed)), unread)

    def _refusal(self, name: str, value: str) -> str | None:
        check = self._checks.get(name)
        return check(value) if check else None

    def _read_all(self) -> tuple[dict[str, str], dict[str, str]]:
        names = [name for name in self._secrets if name not in self._paths]
        from_files, problems = resolve_files(self._environ, names)
        resolved, more = resolve_paths(from_files, names)
        found, unread = read_parameters(self._environ, self._paths)
        for problem in problems + more:
            variable, _, text = problem.partition(": ")
            unread[variable.removesuffix("_PATH").removesuffix("_FILE")] = text
        values = {name: resolved[name] for name in names if resolved.get(name)}
        return values | {name: value.strip() for name, value in found.items()}, unread
