"""Webhooks of repositories: signed deliveries, one at a time; each can be repeated."""

import hashlib
import hmac
import json
import queue
import threading
import uuid
from typing import Any

import httpx

from sandbox.kit.store import DocumentStore

NOBODY = "0" * 40
_SECONDS = 10.0


class WebhookDeliveries:
    """Sends events to the hooks of a repository, in a separate thread."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add_hook(self, repository: str, url: str, secret: str) -> None:
        """Deliver the events of a repository to an address."""
        self._store.put("hook", repository.lower(), {"url": url, "secret": secret})

    def all(self) -> list[dict[str, Any]]:
        """Return the deliveries, oldest first; ``status`` is None until they are answered."""
        return list(self._store.all("delivery").values())

    def notify(self, repository: str, event: str, payload: dict[str, Any]) -> None:
        """Deliver an event, if the repository has a hook."""
        if self._store.get("hook", repository.lower()) is None:
            return
        number = self._store.next_number("delivery")
        self._send(
            {
                "id": number,
                "guid": str(uuid.uuid4()),
                "repository": repository,
                "event": event,
                "payload": payload,
                "status": None,
                "answer": None,
                "redelivery": False,
            }
        )

    def redeliver(self, number: int) -> None:
        """Deliver again, under the same guid, as GitHub does."""
        found = self._store.get("delivery", f"{number:09}")
        again = {"id": self._store.next_number("delivery"), "status": None, "redelivery": True}
        self._send({**found, **again})

    def _send(self, delivery: dict[str, Any]) -> None:
        self._store.put("delivery", f"{delivery['id']:09}", delivery)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        self._queue.put(delivery)

    def _work(self) -> None:
        with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
            while (delivery := self._queue.get()) is not None:
                hook = self._store.get("hook", delivery["repository"].lower())
                if hook is not None:
                    self._store.put(
                        "delivery", f"{delivery['id']:09}", delivery | _post(client, hook, delivery)
                    )


def signed_headers(secret: str, body: bytes, *, event: str, guid: str) -> dict[str, str]:
    """Return the headers of a delivery."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/0000000",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-GitHub-Hook-ID": "1",
        "X-Hub-Signature": f"sha1={hmac.digest(secret.encode(), body, 'sha1').hex()}",
        "X-Hub-Signature-256": f"sha256={hmac.digest(secret.encode(), body, hashlib.sha256).hex()}",
    }


def _post(client: httpx.Client, hook: dict[str, str], delivery: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(delivery["payload"]).encode()
    headers = signed_headers(hook["secret"], body, event=delivery["event"], guid=delivery["guid"])
    try:
        answer = client.post(hook["url"], content=body, headers=headers)
    except httpx.HTTPError as error:
        return {"status": 0, "answer": type(error).__name__}
    return {"status": answer.status_code, "answer": answer.text}
