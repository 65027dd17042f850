"""The GitHub servers that the operator has configured, with their tokens."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from pao.clients.github.auth import GitHubAuth, RepositoryTokens

PUBLIC_API = "https://api.github.com"


class GitHubFlavour(StrEnum):
    """The product: github.com (and ghe.com), or an Enterprise Server."""

    CLOUD = "cloud"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class GitHubInstance:
    """One server: the address of its API, our credentials, and its features.

    ``page_url`` is where its pages are. The limits are those of GitHub's published description:
    25 inputs and the run's id in the answer on github.com, 10 inputs and neither on a server.
    ``alone`` says that no other one is configured.
    """

    name: str
    api_url: str
    auth: GitHubAuth = field(repr=False)
    flavour: GitHubFlavour = GitHubFlavour.CLOUD
    api_version: str = "2022-11-28"
    alone: bool = False
    tokens: RepositoryTokens = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", RepositoryTokens(self.auth))

    @property
    def title(self) -> str:
        """Its name for people; without the configured name if it is the only one."""
        return "GitHub" if self.alone else f'GitHub "{self.name}"'

    @property
    def target(self) -> str:
        """Its name among the targets of circuit breakers."""
        return f"GitHub {self.name}"

    @property
    def most_inputs(self) -> int:
        """How many inputs a dispatch may carry."""
        return 25 if self.flavour is GitHubFlavour.CLOUD else 10

    @property
    def returns_run(self) -> bool:
        """Whether the answer to a dispatch can contain the run."""
        return self.flavour is GitHubFlavour.CLOUD

    @property
    def page_url(self) -> str:
        """Where the pages for people are."""
        if self.api_url == PUBLIC_API:
            return "https://github.com"
        parts = urlsplit(self.api_url)
        host = parts.netloc
        if host.endswith(".ghe.com"):
            host = host.removeprefix("api.")
        return f"{parts.scheme}://{host}"


def flavour_of(api_url: str) -> GitHubFlavour:
    """Return the flavour of a server, by its address."""
    host = urlsplit(api_url).hostname or ""
    cloud = host == "api.github.com" or host.endswith(".ghe.com")
    return GitHubFlavour.CLOUD if cloud else GitHubFlavour.SERVER


class GitHubInstances:
    """The servers by name; the first is the default."""

    def __init__(self, instances: Iterable[GitHubInstance] = ()) -> None:
        known = list(instances)
        self._instances = {one.name: replace(one, alone=len(known) == 1) for one in known}

    @property
    def titles(self) -> dict[str, str]:
        """What people call each of them, by its name among the targets of circuit breakers."""
        return {one.target: one.title for one in self._instances.values()}

    def instance(self, name: str | None) -> GitHubInstance:
        """Return the named server, else the first.

        Raises ``LookupError`` with a sentence that says what is configured.
        """
        if not self._instances:
            raise LookupError(
                "no GitHub is configured; the operator sets GITHUB_TOKEN, or GITHUB_APP_ID and "
                "GITHUB_APP_PRIVATE_KEY"
            )
        if name is None:
            return next(iter(self._instances.values()))
        if name not in self._instances:
            known = ", ".join(self._instances)
            raise LookupError(f"there is no GitHub instance {name!r}; configured are: {known}")
        return self._instances[name]
