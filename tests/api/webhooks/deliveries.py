"""A webhook service that notes what it hears, and deliveries to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from api.ratelimit import RateLimiter
from api.webhooks.events import CatalogBranch, Ignored, Proposal, Push
from api.webhooks.service import Delivery, ForgeKind, ForgeWebhook, WebhookService
from pao.clients.temporal import TemporalUnavailableError
from pao.core.errors import PaoError
from tests.support.webhook_examples import SECRET, github_headers

OLD, NEW = "a" * 40, "b" * 40
GITHUB, GITLAB = ForgeKind.GITHUB, ForgeKind.GITLAB
PLACE = CatalogBranch("Acme/Catalog", "main")


class RecordedSignals:
    """What was told, and the outcomes that were counted."""

    def __init__(self, *, away: bool = False) -> None:
        self.pushes: list[tuple[Push, str | None]] = []
        self.proposals: list[Proposal] = []
        self.counts: list[tuple[str, str]] = []
        self._away = away

    async def push(self, push: Push, *, delivery: str | None) -> None:
        if self._away:
            raise TemporalUnavailableError
        self.pushes.append((push, delivery))

    async def propose(self, proposal: Proposal) -> None:
        self.proposals.append(proposal)

    def count(self, forge: str, outcome: str) -> None:
        self.counts.append((forge, outcome))


def service(
    heard: RecordedSignals,
    *,
    secrets: Iterable[str] = (SECRET,),
    place: CatalogBranch | None = PLACE,
    per_minute: int = 10_000,
    seconds: float = 5,
) -> WebhookService:
    known = ForgeWebhook([SecretStr(one) for one in secrets], place)
    return WebhookService(
        dict.fromkeys(ForgeKind, known),
        heard,
        limiter=RateLimiter(per_minute),
        seconds=seconds,
        count=heard.count,
    )


async def pieces(*given: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for piece in given:
        await asyncio.sleep(pause)
        yield piece


def push(**changes: Any) -> dict[str, Any]:
    repository = {"full_name": "acme/catalog", "default_branch": "main"}
    return {
        "ref": "refs/heads/main",
        "before": OLD,
        "after": NEW,
        "repository": repository,
        "project": {"path_with_namespace": "acme/catalog"},
    } | changes


async def deliver(  # noqa: PLR0913 -- what a delivery consists of
    to: WebhookService,
    payload: Any,
    event: str = "push",
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    forge: ForgeKind = GITHUB,
) -> Ignored | None:
    content = json.dumps(payload).encode() if body is None else body
    sent = github_headers(event, content) if headers is None else headers
    delivery = Delivery(Headers(sent), "192.0.2.7", pieces(content[:100], content[100:]))
    return await to.receive(forge, delivery)


async def status(to: WebhookService, payload: Any = None, **more: Any) -> int:
    with pytest.raises(PaoError) as refused:
        await deliver(to, payload or push(), **more)
    return refused.value.status
