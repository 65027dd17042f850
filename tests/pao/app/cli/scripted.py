"""A service on a loopback socket that answers as scripted, and documents in the API's shapes."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from typer.testing import Result

SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=PAOTEST/\d{8}/eu-central-1/execute-api/aws4_request, "
    r"SignedHeaders=(content-type;)?host;(idempotency-key;)?x-amz-date;x-correlation-id, "
    r"Signature=[0-9a-f]{64}"
)


@dataclass(frozen=True)
class Call:
    """What the service received."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any

    @property
    def is_signed(self) -> bool:
        return SIGNATURE.fullmatch(self.headers.get("authorization", "")) is not None


Answer = Callable[[Call], Response]
Pao = Callable[..., Result]


@dataclass
class Service:
    """Answers what a test scripted for a method and path; the last answer stays."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    script: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)

    def on(self, method: str, path: str, *answers: Answer | dict[str, Any]) -> None:
        self.script[method, f"/api/v1{path}"] = [
            answer if callable(answer) else answered(answer) for answer in answers
        ]

    def calls_of(self, method: str, path: str) -> list[Call]:
        return [c for c in self.calls if (c.method, c.path) == (method, f"/api/v1{path}")]

    async def handle(self, request: Request) -> Response:
        body = await request.body()
        call = Call(
            request.method,
            request.url.path,
            request.query_params.multi_items(),
            request.headers,
            await request.json() if body else None,
        )
        self.calls.append(call)
        answers = self.script.get((call.method, call.path))
        if not answers:
            return refused(404, "NOT_FOUND", f"nothing scripted for {call.method} {call.path}")(
                call
            )
        return (answers.pop(0) if len(answers) > 1 else answers[0])(call)


def answered(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return lambda _call: JSONResponse(document, status, headers=headers)


def refused(status: int, code: str, message: str, **more: Any) -> Answer:
    error = {"code": code, "message": message, "details": [], "correlationId": "c0ffee", **more}
    return lambda _call: JSONResponse({"error": error}, status)


def cut_off(_call: Call) -> Response:
    """Close the connection before the answer is whole."""
    return Response(b"{", headers={"content-type": "application/json", "content-length": "999"})


REQUEST_ID = "7b0c2f6e-3d5a-4a53-9d0a-0f6e5b7d1c11"
REQUEST = f"/requests/{REQUEST_ID}"


def action(status: str = "completed", **more: Any) -> dict[str, Any]:
    done = status == "completed"
    return {
        "id": "jira-ticket-1",
        "index": 0,
        "type": "jira-ticket",
        "name": "Create the ticket",
        "status": status,
        "attempt": 1,
        "externalReference": "PLATFORM-123" if done else None,
        "url": "https://jira.example.com/browse/PLATFORM-123" if done else None,
        "outputs": {"key": "PLATFORM-123"} if done else None,
        "startedAt": "2026-03-01T10:00:00.000Z",
        "finishedAt": "2026-03-01T10:00:01.200Z",
        **more,
    }


def request(status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": REQUEST_ID,
        "catalogItemId": "database-postgresql-standard",
        "catalogItemVersion": "1.2.0",
        "status": status,
        "retrying": False,
        "correlationId": "11111111-2222-4333-8444-555555555555",
        "createdAt": "2026-03-01T10:00:00.000Z",
        "updatedAt": "2026-03-01T10:00:01.200Z",
        "actions": [action(status if status in {"completed", "failed"} else "in_progress")],
        "links": {"self": f"/api/v1{REQUEST}", "workflow": "https://temporal.example.com/w/1"},
        "user": {"id": "dev", "email": "dev@example.com", "teams": ["orders"]},
        "error": None,
        "errorContext": None,
        "escalation": None,
        "decisions": [],
        **more,
    }


def failed_request(**more: Any) -> dict[str, Any]:
    error = {
        "code": "ACTION_FAILED",
        "message": "JIRA refused the ticket: project: valid project is required",
        "httpStatus": 400,
        "responseBody": None,
        "retryable": False,
        "outcomeUnknown": False,
    }
    context = {
        "failedActions": [{"index": 0, "id": "jira-ticket-1", "type": "jira-ticket", "attempt": 1}],
        "error": error,
        "partialResources": [],
        "cleanup": [
            {"action": "a0", "resource": "PLATFORM-1", "instructions": "Close PLATFORM-1 by hand."}
        ],
        "suggestedDecision": {"decision": "retry", "reason": "Retry with corrected fields."},
    }
    return request("failed", **{"error": error, "errorContext": context, **more})


FORM = {
    "form": {
        "layout": "single-page",
        "groups": [
            {
                "id": "basic",
                "name": "Basic",
                "fields": [
                    {"id": "instanceName", "name": "Instance name", "type": "string",
                     "required": True, "description": "Name of the instance."},
                    {"id": "storageSize", "name": "Storage size", "type": "integer",
                     "default": 20},
                    {"id": "ratio", "type": "number"},
                    {"id": "backups", "name": "Backups", "type": "boolean"},
                    {"id": "size", "type": "select", "required": True,
                     "enum": [{"value": "s", "label": "Small"}, {"value": 3, "label": "Three"}]},
                    {"id": "zones", "type": "multiselect", "enum": ["a", "b", "c"]},
                    {"id": "extra", "type": "json"},
                    {"id": "certificate", "type": "file"},
                    {"id": "adminPassword", "name": "Admin password", "type": "password",
                     "conditional": {"dependsOn": "backups", "condition": "equals", "value": True}},
                ],
            }
        ],
    },
    "jsonSchema": {"type": "object"},
}  # fmt: skip


def page(*rows: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    return {"data": list(rows), "pagination": {"hasMore": bool(cursor), "nextCursor": cursor}}


def events(*entries: tuple[int, str, dict[str, Any]]) -> Any:
    async def stream() -> Any:
        yield b": ping\n\n"
        for number, kind, data in entries:
            yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()

    def answer(_call: Call) -> Response:
        return StreamingResponse(stream(), media_type="text/event-stream")

    return answer
