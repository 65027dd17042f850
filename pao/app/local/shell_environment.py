"""Decides which variables of its shell `pao up` uses, and which it ignores.

A shell that has sourced an env file carries the addresses of that stack. They are for the person's
commands: another stack that took them would share its Temporal server, or its database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pao.app.local.env_file import FILE, TEMPORAL
from pao.app.local.home import Home
from pao.app.local.temporal import NAMESPACE

ADDRESS = "TEMPORAL_ADDRESS"
OF_TEMPORAL = "TEMPORAL_"
EXPORTED = ("DATABASE_URL", ADDRESS, "TEMPORAL_UI_URL")
"""What an env file exports and a stack could mistake for its own settings."""
ALWAYS_SET = ("CATALOG_PATH", "DATABASE_URL", "JIRA_BASE_URL", "JIRA_INSTANCES", "GITHUB_API_URL")
"""Addresses that `pao up` always sets itself."""
ALTERNATIVES = {"CATALOG_PATH": "use --catalog"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalAddresses:
    """The Temporal server in use, ours or an outside one."""

    address: str
    namespace: str
    ui_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellEnvironment:
    """The variables in effect, the outside Temporal server they name, and what was ignored."""

    variables: Mapping[str, str]
    outside: TemporalAddresses | None
    ignored: tuple[str, ...] = field(default=())
    """One sentence for each variable that a person may have expected to have effect."""

    @property
    def cleared(self) -> dict[str, str]:
        """Variables of the shell that children must not see, as empty ones."""
        return {} if self.outside else dict.fromkeys(_of_temporal(self.variables), "")


def read_shell(home: Home, environment: Mapping[str, str]) -> ShellEnvironment:
    """Evaluate the variables of a shell for the stack in ``home``."""
    exported_by = environment.get(FILE, "")
    foreign = bool(exported_by) and exported_by not in _env_files(home)
    outside = _outside_temporal(home, environment, foreign=foreign)
    ignored = list(_ignored(environment, exported_by, foreign=foreign, outside=outside))
    return ShellEnvironment(variables=environment, outside=outside, ignored=tuple(ignored))


def _outside_temporal(
    home: Home, environment: Mapping[str, str], *, foreign: bool
) -> TemporalAddresses | None:
    """Return the server that TEMPORAL_ADDRESS names, unless `pao up` started it."""
    address = environment.get(ADDRESS)
    if not address or home.started_temporal == address:
        return None
    exported = environment.get(TEMPORAL) == address
    if exported and (foreign or home.started_temporal is not None):
        return None
    return TemporalAddresses(
        address=address,
        namespace=environment.get("TEMPORAL_NAMESPACE") or NAMESPACE,
        ui_url=environment.get("TEMPORAL_UI_URL", ""),
    )


def _ignored(
    environment: Mapping[str, str],
    exported_by: str,
    *,
    foreign: bool,
    outside: TemporalAddresses | None,
) -> Iterable[str]:
    unused = [] if outside else _of_temporal(environment)
    unused += [name for name in ALWAYS_SET if environment.get(name)]
    exported = [name for name in unused if exported_by and name in EXPORTED]
    if foreign and exported:
        yield (
            f"Ignored, as this shell has sourced {exported_by} of another `pao up`: "
            f"{', '.join(sorted(exported))}"
        )
    others = sorted({*unused} - {*exported})
    if others:
        texts = [
            f"{name} ({ALTERNATIVES[name]})" if name in ALTERNATIVES else name for name in others
        ]
        yield f"Ignored, as `pao up` brings its own: {', '.join(texts)}"


def _of_temporal(environment: Mapping[str, str]) -> list[str]:
    return [name for name, value in environment.items() if name.startswith(OF_TEMPORAL) and value]


def _env_files(home: Home) -> set[str]:
    return {str(home.env_file()), *(str(path) for path in home.folder.glob("env.*"))}
