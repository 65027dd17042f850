"""What there is to be called: requests that are done, failed, waiting, or of unknown outcome.

Ids that nobody made would meet nothing but 404. Calls that end a request have ids of their own.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from fuzz.people import FuzzTarget

ITEM = "network-dns-record"
CREATING = {"method": "POST", "path": "/issue$"}
REFUSED = "refused"
LOST = "lost"
APPROVED = "access-production-account"
AT_ONCE = 4
FEW = 10
MANY = 60
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Ids of prepared requests, and of the catalog's items."""

    done: list[str]
    failed: list[str]
    doomed: list[str]
    waiting: list[str]
    items: list[str]


def prepare(place: FuzzTarget, jira: str) -> Ground:
    """Submit requests until there are some of every kind; raises where one becomes another kind."""
    # JIRA refuses these tickets for ever, so that a retried request is there for the next retry.
    _strike(jira, kind="status", status=400, summary=REFUSED)
    _strike(jira, kind="cut-after", summary=LOST)
    with place.client("developer") as client, ThreadPoolExecutor(AT_ONCE) as pool:

        def made(kind: str, *, wanted: int) -> list[str]:
            status = "completed" if kind == "done" else "failed"
            calls = [
                pool.submit(_submit, client, f"{kind}-{number}", status) for number in range(wanted)
            ]
            return [call.result() for call in calls]

        return Ground(
            done=made("done", wanted=FEW),
            failed=made(f"{REFUSED}-kept", wanted=FEW) + made(f"{LOST}-kept", wanted=FEW),
            doomed=made(f"{REFUSED}-ended", wanted=MANY) + made(f"{LOST}-ended", wanted=MANY),
            waiting=list(pool.map(partial(_wait, client), range(MANY))),
            items=[item["id"] for item in _read(client, "/catalog")["data"]],
        )


def write_dictionaries(ground: Ground, folder: Path) -> None:
    """Write the ids as the lists that schemathesis.toml names."""
    for name, values in asdict(ground).items():
        lines = (f"{json.dumps(value)}\n" for value in values)
        (folder / f"{name}.dict").write_text("".join(lines))


def forms(place: FuzzTarget) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id and the form's JSON Schema of every item, in the order of ids."""
    with place.client("admin") as client:
        for item in _read(client, "/catalog")["data"]:
            yield item["id"], _read(client, f"/catalog/items/{item['id']}/schema")["jsonSchema"]


def _strike(jira: str, *, summary: str, **fault: Any) -> None:
    match = {**CREATING, "summaryContains": summary}
    body = {"times": None, "match": match, **fault}
    httpx.post(f"{jira}/sandbox/faults", json=body, trust_env=False).raise_for_status()


def _submit(client: httpx.Client, host: str, status: str) -> str:
    fields = {"hostName": f"{host}.example.com", "address": "10.0.0.1"}
    answer = client.post("/requests", json={"catalogItemId": ITEM, "fields": fields})
    # A busy machine answers 202 before the request has come so far.
    ends = time.monotonic() + _PATIENCE_SECONDS
    document = answer.raise_for_status().json()
    while document["status"] != status:
        if time.monotonic() > ends:
            raise RuntimeError(f"{host} should have become {status}: {document}")
        time.sleep(0.3)
        document = _read(client, f"/requests/{document['id']}")
    return str(document["id"])


def _wait(client: httpx.Client, number: int) -> str:
    """Submit a request that waits for an approval; no two may be signed alike."""
    fields = {"purpose": f"to be voted on at random, {number}"}
    answer = client.post("/requests", json={"catalogItemId": APPROVED, "fields": fields})
    return str(answer.raise_for_status().json()["id"])


def _read(client: httpx.Client, path: str) -> Any:
    return client.get(path).raise_for_status().json()
