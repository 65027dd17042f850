"""A GitHub stand-in for tests: the real one, on a loopback port, in a thread of this process."""

from pathlib import Path
from typing import Any, Self

import httpx
from pydantic import SecretStr

from activities.options import ActionOptions, GitHubOptions
from pao.clients.github import (
    GitHubAuth,
    GitHubFlavour,
    GitHubInstance,
    GitHubInstances,
    TokenAuth,
)
from sandbox.github.main import server
from sandbox.github.settings import GitHubSandboxSettings
from sandbox.kit.store import DocumentStore
from tests.support.stand_ins import ServerThread


class GitHubSandbox:
    """A running stand-in; use it as a context manager, or call start and stop."""

    def __init__(self, folder: Path, *, settings: GitHubSandboxSettings | None = None) -> None:
        self.settings = settings or GitHubSandboxSettings()
        self._store = DocumentStore(folder / "github.sqlite")

    def start(self) -> Self:
        """Start serving, and return when it answers."""
        self._serving = ServerThread(
            lambda port: server(self._store, self.settings, host="127.0.0.1", port=port)
        )
        self.port = self._serving.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._control = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._control.close()
        self._serving.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """The address of its REST API."""
        return f"{self.url}{self.settings.flavour.prefix}"

    def tell(self, what: str, **given: Any) -> dict[str, Any]:
        """Call its control API."""
        answer = self._control.post(f"/sandbox/{what}", json=given)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def fault(self, kind: str, **given: Any) -> None:
        """Add a fault."""
        self.tell("faults", kind=kind, **given)

    def clear_faults(self) -> None:
        """Remove all faults."""
        assert self._control.delete("/sandbox/faults").status_code == 204

    def reset(self) -> None:
        """Reset it."""
        self.tell("reset")

    def calls(self) -> list[dict[str, Any]]:
        """Return the REST calls that it has answered, oldest first."""
        return list(self._control.get("/sandbox/calls").json()["calls"])

    def state(self) -> dict[str, Any]:
        """Return all of its state."""
        return dict(self._control.get("/sandbox/state").json())

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, oldest first."""
        return list(self.state()["runs"])

    def pulls(self) -> list[dict[str, Any]]:
        """Return all pull requests, oldest first."""
        return list(self.state()["pulls"])

    def branch(self, repository: str, branch: str = "main") -> dict[str, Any]:
        """Return a branch: its files, modes and messages."""
        return dict(self.state()["repositories"][repository][f"heads/{branch}"])

    def end(self, run: int, conclusion: str = "success", **more: Any) -> None:
        """Complete a run."""
        self.tell("runs", id=run, status="completed", conclusion=conclusion, **more)

    def instance(self, auth: GitHubAuth | None = None) -> GitHubInstance:
        """Return the settings of a client for this stand-in."""
        return GitHubInstance(
            "main",
            self.api_url,
            auth or TokenAuth(SecretStr(self.settings.token)),
            GitHubFlavour(self.settings.flavour.value),
        )

    def options(self, auth: GitHubAuth | None = None, **pace: float) -> ActionOptions:
        """Return the options of actions; waits are short by default."""
        quick = {"poll_first": 0.02, "poll_most": 0.05, "listing_lag": 0.0} | pace
        instances = GitHubInstances([self.instance(auth)])
        return ActionOptions(github=GitHubOptions(instances=instances, **quick))
