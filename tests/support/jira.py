"""A JIRA stand-in for tests: the real one, on a free loopback port, in a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from pydantic import SecretStr

from pao.clients.jira import BasicAuth, JiraFlavour, JiraInstance, OAuth2Auth
from sandbox.jira.main import database_file, server
from sandbox.jira.settings import JiraSandboxSettings
from sandbox.jira.store import TicketStore
from tests.support.stand_ins import ServerThread


class JiraSandbox:
    """A running stand-in; use it as a context manager, or call start and stop."""

    def __init__(self, state_path: Path, *, settings: JiraSandboxSettings | None = None) -> None:
        self.state_path = state_path
        self.settings = settings or JiraSandboxSettings()

    def start(self, *, port: int = 0) -> Self:
        """Start serving, and return when it answers."""
        self._store = TicketStore(database_file(self.state_path))
        self._serving = ServerThread(
            lambda port: server(self._store, self.settings, host="127.0.0.1", port=port), port=port
        )
        self.port = self._serving.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._control = httpx.Client(base_url=self.url, trust_env=False)
        return self

    def stop(self) -> None:
        """Stop serving; the state stays for the next start."""
        self._control.close()
        self._serving.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fault(self, kind: str, **settings: Any) -> int:
        """Put a fault in force, on creations unless ``match`` says otherwise; return its id."""
        match = settings.pop("match", {"method": "POST", "path": "/issue$"})
        answer = self._control.post(
            "/sandbox/faults", json={"kind": kind, "match": match, **settings}
        )
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults in force."""
        return list(self._control.get("/sandbox/faults").json()["faults"])

    def clear_faults(self) -> None:
        """Lift all faults."""
        assert self._control.delete("/sandbox/faults").status_code == 204

    def tickets(self) -> list[dict[str, Any]]:
        """Return all tickets, oldest first."""
        return list(self._control.get("/sandbox/tickets").json()["tickets"])

    def move(self, key: str, status: str) -> None:
        """Move a ticket as a person would."""
        auth = (self.settings.username, self.settings.token)
        path = f"/rest/api/2/issue/{key}/transitions"
        moves = self._control.get(path, auth=auth).json()["transitions"]
        wanted = next(move["id"] for move in moves if move["name"] == status)
        answer = self._control.post(path, json={"transition": {"id": wanted}}, auth=auth)
        assert answer.status_code == 204, answer.text

    def tokens_issued(self) -> int:
        """Return how many access tokens of OAuth 2 were given out."""
        return int(self._control.get("/sandbox/tokens").json()["issued"])

    def revoke_tokens(self) -> None:
        """Let no access token count any more."""
        assert self._control.delete("/sandbox/tokens").status_code == 204

    def reset(self) -> None:
        """Forget all tickets and faults."""
        assert self._control.post("/sandbox/reset").status_code == 204

    def oauth2(self, **changes: Any) -> OAuth2Auth:
        """Return the client credentials of this stand-in."""
        values: dict[str, Any] = {
            "client_id": self.settings.client_id,
            "client_secret": SecretStr(self.settings.client_secret),
            "token_url": f"{self.url}/oauth/token",
        }
        return OAuth2Auth(**{**values, **changes})

    def instance(self, **changes: Any) -> JiraInstance:
        """Return the settings of a client for this stand-in."""
        values: dict[str, Any] = {
            "name": "main",
            "base_url": self.url,
            "flavour": JiraFlavour.DATACENTER,
            "auth": BasicAuth(self.settings.username, SecretStr(self.settings.token)),
            "default_project": "PLATFORM",
            "search_lag": 1.0,
        }
        return JiraInstance(**{**values, **changes})


def start_jira_sandbox(
    state_path: Path, *, settings: JiraSandboxSettings | None = None
) -> JiraSandbox:
    """Start a stand-in whose state lies in ``state_path``; the caller stops it."""
    return JiraSandbox(state_path, settings=settings).start()


@contextmanager
def jira_sandbox(
    state_path: Path, *, settings: JiraSandboxSettings | None = None
) -> Iterator[JiraSandbox]:
    """Run a stand-in for as long as the block runs."""
    with JiraSandbox(state_path, settings=settings) as sandbox:
        yield sandbox
