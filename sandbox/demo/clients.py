"""The demo's clients: PAO's API as one of its users, and the JIRA stand-in."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

SETTLING_SECONDS = 20.0
POLL_SECONDS = 0.5
"""A caller may make 60 calls a minute."""

CREATION = {"method": "POST", "path": "/issue$"}
"""The calls that create a ticket, in any version of JIRA's API."""

Document = Mapping[str, Any]
Signer = Callable[[Mapping[str, str]], httpx.Auth]
"""Makes the signer of calls with the keys of an env file (PAO_ACCESS_KEY_ID and the like)."""


@dataclass(frozen=True, slots=True)
class DemoResponse:
    """A response, and after how many seconds it came."""

    status: int
    document: Document
    seconds: float

    @property
    def request(self) -> str:
        """The id of the request."""
        return str(self.document.get("id"))

    @property
    def action(self) -> Document:
        """The request's only action; empty if the document is no request."""
        actions = self.document.get("actions") or [{}]
        return dict(actions[0])

    @property
    def error(self) -> Document:
        """The error of a refusal or of a failed request; empty otherwise."""
        return dict(self.document.get("error") or {})


class PaoClient:
    """PAO's HTTP API as one user sees it: every call is signed, no answer raises."""

    def __init__(self, env: Mapping[str, str], sign: Signer) -> None:
        # Calls to loopback must not use the proxies of the environment.
        self._client = httpx.Client(
            base_url=f"{env['PAO_URL']}/api/v1", auth=sign(env), timeout=30.0, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def get(self, path: str) -> DemoResponse:
        """Read a document."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Document) -> DemoResponse:
        """Send a document."""
        return self._call("POST", path, body)

    def wait_until_settled(self, answer: DemoResponse) -> DemoResponse:
        """Wait until a request that was answered with 202 has settled."""
        deadline = time.monotonic() + SETTLING_SECONDS
        while answer.status == httpx.codes.ACCEPTED and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            now = self.get(f"/requests/{answer.request}")
            if now.document.get("status") not in {"submitted", "in_progress"}:
                return now if not now.document.get("retrying") else answer
        return answer

    def wait_for_status(self, request_id: str, status: str) -> DemoResponse:
        """Wait until a request has this status; after the time limit, return it as it is."""
        deadline = time.monotonic() + SETTLING_SECONDS
        now = self.get(f"/requests/{request_id}")
        while now.document.get("status") != status and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            now = self.get(f"/requests/{request_id}")
        return now

    def _call(self, method: str, path: str, body: Document | None) -> DemoResponse:
        # Each call has its own id and so its own signature; none looks like a replay.
        headers = {"X-Correlation-ID": str(uuid.uuid4())}
        started = time.monotonic()
        response = self._client.request(method, path, json=body, headers=headers)
        seconds = time.monotonic() - started
        return DemoResponse(response.status_code, _document(response), seconds)


class JiraStandIn:
    """The JIRA stand-in: injects faults and lists the tickets that exist."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    @contextmanager
    def inject_fault(self, summary: str, **fault: Any) -> Iterator[None]:
        """Inject one fault into the next creation of a ticket with ``summary`` in its title."""
        match = {**CREATION, "summaryContains": summary}
        added = self._client.post("/sandbox/faults", json={**fault, "match": match, "times": 1})
        added.raise_for_status()
        try:
            yield
        finally:
            # An unused fault is removed, so that it does not affect later requests.
            self._client.delete(f"/sandbox/faults/{added.json()['id']}")

    def tickets(self, label: str) -> list[Document]:
        """List every ticket that carries ``label``."""
        response = self._client.get("/sandbox/tickets").raise_for_status()
        return [ticket for ticket in response.json()["tickets"] if label in ticket["labels"]]

    def ticket(self, key: str) -> Document:
        """Return the ticket of that key; empty if there is none."""
        response = self._client.get("/sandbox/tickets").raise_for_status()
        found = [ticket for ticket in response.json()["tickets"] if ticket["key"] == key]
        return dict(found[0]) if found else {}


def _document(response: httpx.Response) -> Document:
    try:
        document = response.json()
    except ValueError:
        return {"error": {"message": response.text[:200]}}
    return document if isinstance(document, dict) else {"error": {"message": str(document)}}
