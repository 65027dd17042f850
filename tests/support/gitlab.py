"""A GitLab stand-in for tests: the real one, on a loopback port, in a thread of this process."""

from pathlib import Path
from typing import Any, Self

import httpx
from pydantic import SecretStr

from pao.clients.gitlab import GitLabInstance
from sandbox.gitlab.app import build_app
from sandbox.gitlab.settings import GitLabSandboxSettings
from sandbox.kit.serving import stand_in_server
from sandbox.kit.store import DocumentStore
from tests.support.stand_ins import ServerThread


class GitLabSandbox:
    """A running stand-in; use it as a context manager."""

    def __init__(self, folder: Path, *, settings: GitLabSandboxSettings | None = None) -> None:
        self.settings = settings or GitLabSandboxSettings()
        self._store = DocumentStore(folder / "gitlab.sqlite")

    def __enter__(self) -> Self:
        app = build_app(self._store, self.settings)
        self._serving = ServerThread(lambda port: stand_in_server(app, host="127.0.0.1", port=port))
        self.url = f"http://127.0.0.1:{self._serving.port}"
        self._control = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._serving.stop()
        self._store.close()

    def tell(self, what: str, **given: Any) -> dict[str, Any]:
        """Have it do something of its own API."""
        answer = self._control.post(f"/sandbox/{what}", json=given)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def calls(self) -> list[dict[str, Any]]:
        """Return the REST calls that it has worked on, oldest first."""
        return list(self._control.get("/sandbox/calls").json()["calls"])

    def state(self) -> dict[str, Any]:
        """Return the statuses and deliveries."""
        return dict(self._control.get("/sandbox/state").json())

    def instance(self, token: str | None = None) -> GitLabInstance:
        """Return the settings of a client for this stand-in."""
        return GitLabInstance(self.url, SecretStr(token or self.settings.token))
