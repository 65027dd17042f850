"""An item whose form is asked for, and what came of the answers."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pao.app.cli.scripted import Service, refused
from tests.pao.app.cli.terminals import Terminal

Start = Callable[..., Terminal]
SECRET = "Sup3rSecret"


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name.capitalize(), "type": kind, **more}


def form(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    group = {"id": "g", "name": "Basics", "description": "What it is.", "fields": list(fields)}
    return {"form": {"groups": [group | more]}}


NAME = field(
    "host",
    "string",
    required=True,
    placeholder="orders",
    validation={"minLength": 3, "maxLength": 9, "pattern": "^[a-z]+$"},
)
BACKUPS = field("backups", "boolean")
DAYS = field(
    "days",
    "integer",
    required=True,
    conditional={"dependsOn": "backups", "condition": "equals", "value": True},
    validation={"min": 1, "max": 30},
)
ITEM: dict[str, Any] = {
    "id": "db",
    "name": "Database",
    "version": "1.2.0",
    "description": "A small one.",
}


def sent(service: Service) -> dict[str, Any]:
    fields: dict[str, Any] = service.calls_of("POST", "/requests")[-1].body["fields"]
    return fields


def kept(folder: Path, name: str = "db.json") -> dict[str, Any]:
    file = folder / name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def refusal(*places: str) -> Any:
    details = [
        {"field": place, "constraint": "taken", "message": f"{place} is taken"} for place in places
    ]
    return refused(422, "VALIDATION_FAILED", "The fields are not valid", details=details)
