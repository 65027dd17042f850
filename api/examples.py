"""Examples of the OpenAPI document: the shapes that the API promises, filled in."""

from typing import Any

DECIDING = (400, 401, 403, 404, 409, 413, 422, 429, 502, 503)

_ID = "7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11"
_TIME = "2026-03-05T14:07:09.123Z"
_URL = "https://jira.example.com/browse/DB-123"

_ACTION: dict[str, Any] = {
    "id": "jira-ticket-1",
    "index": 0,
    "type": "jira-ticket",
    "name": "Ticket for the database team",
    "status": "completed",
    "attempt": 1,
    "adopted": False,
    "externalReference": "DB-123",
    "url": _URL,
    "outputs": {"key": "DB-123", "id": "10001", "url": _URL},
    "error": None,
    "outcomeUnknown": False,
    "reason": None,
    "waiting": None,
    "ticketStatus": None,
    "startedAt": _TIME,
    "finishedAt": _TIME,
}

REQUEST_SHORT: dict[str, Any] = {
    "id": _ID,
    "catalogItemId": "database-postgresql-standard",
    "catalogItemName": "PostgreSQL Database",
    "catalogItemVersion": "1.2.0",
    "status": "completed",
    "retrying": False,
    "correlationId": "3f6c1a52-8f0e-4a43-9b58-0b8f0b6c2d11",
    "user": {"id": "dana", "email": "dana@example.com"},
    "error": None,
    "createdAt": _TIME,
    "updatedAt": _TIME,
    "links": {"self": f"/api/v1/requests/{_ID}"},
}

REQUEST: dict[str, Any] = {
    **REQUEST_SHORT,
    "user": {"id": "dana", "email": "dana@example.com", "teams": ["team-orders"]},
    "actions": [_ACTION],
    "fields": {"instanceName": "orders-db", "storageSize": 100},
    "metadata": {"tags": ["production"]},
    "errorContext": None,
    "escalation": None,
    "decisions": [],
    "attempt": 1,
    "leftBehind": [],
    "possibleDecisions": [],
    "warnings": [],
    "links": {
        "self": f"/api/v1/requests/{_ID}",
        "workflow": f"https://temporal.example.com/namespaces/default/workflows/request-{_ID}",
    },
}

REQUEST_OPEN: dict[str, Any] = {
    **REQUEST,
    "status": "in_progress",
    "actions": [
        {**_ACTION, "status": "in_progress", "externalReference": None, "url": None}
        | {"outputs": None, "finishedAt": None}
    ],
}

REQUEST_PAGE: dict[str, Any] = {
    "data": [REQUEST_SHORT],
    "pagination": {"hasMore": False, "nextCursor": None},
}

_TICKET: dict[str, Any] = {
    "live": True,
    "status": "In Review",
    "statusCategory": "indeterminate",
    "mappedStatus": "in_progress",
    "mapped": True,
    "checkedAt": _TIME,
    "error": None,
}

STATUS: dict[str, Any] = {
    "id": _ID,
    "status": "completed",
    "retrying": False,
    "currentActions": [],
    "progress": {"completedActions": 1, "totalActions": 1, "percentComplete": 100},
    "tickets": [{"actionId": "jira-ticket-1", "key": "DB-123", "url": _URL, **_TICKET}],
    "error": None,
    "updatedAt": _TIME,
}

LOGS: dict[str, Any] = {
    "data": [
        {
            "sequence": 17,
            "time": _TIME,
            "level": "info",
            "actionId": "jira-ticket-1",
            "attempt": 1,
            "message": "Ticket for the database team succeeded: DB-123",
            "data": {},
        }
    ],
    "pagination": {"hasMore": False, "nextCursor": None},
}

EVENTS = f"""id: 41
event: state
data: {{"time": "{_TIME}", "status": "in_progress", "retrying": false}}

id: 42
event: log
data: {{"time": "{_TIME}", "level": "info", "message": "attempt 1 starts"}}

"""

LOOK: dict[str, Any] = {
    "actionId": "jira-ticket-1",
    "answer": "found",
    "wouldAdopt": {"externalReference": "DB-123", "url": _URL, "outputs": _ACTION["outputs"]},
    "reason": None,
}

ESCALATION: dict[str, Any] = {
    "ticketKey": "ORCHESTRATION-7",
    "url": "https://jira.example.com/browse/ORCHESTRATION-7",
    "escalatedAt": _TIME,
    "escalatedBy": "priya",
    "reason": "The project is gone.",
    "ticket": _TICKET,
}

CATALOG_ITEM: dict[str, Any] = {
    "id": "database-postgresql-standard",
    "kind": "CatalogItem",
    "name": "PostgreSQL Database",
    "description": "A managed PostgreSQL database with daily backups and monitoring.",
    "version": "1.2.0",
    "category": "databases",
    "owner": "team-database",
    "tags": ["postgresql", "sql"],
    "requestable": True,
    "deprecated": False,
    "stale": False,
}

CATALOG_ITEM_WHOLE: dict[str, Any] = {
    **CATALOG_ITEM,
    "gitSha": "5f2c1d7a0b9e4c3d8f6a1e2b7c9d0e4f5a6b7c8d",
    "filePath": "databases/database-postgresql-standard.yaml",
    "loadedAt": _TIME,
    "deprecation": {
        "deprecated": False,
        "sunsetDate": None,
        "replacement": None,
        "migrationGuide": None,
    },
    "definition": {"schemaVersion": "catalog/v1", "kind": "CatalogItem"},
}

FORM: dict[str, Any] = {
    "id": "database-postgresql-standard",
    "version": "1.2.0",
    "form": {
        "layout": "wizard",
        "groups": [
            {
                "id": "basic",
                "name": "Basic configuration",
                "fields": [{"id": "instanceName", "name": "Instance name", "type": "string"}],
            }
        ],
    },
    "jsonSchema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["instanceName"],
        "properties": {"instanceName": {"type": "string"}},
        "additionalProperties": False,
    },
}

CATALOG: dict[str, Any] = {
    "data": [CATALOG_ITEM],
    "facets": {
        "category": {"databases": 1},
        "owner": {"team-database": 1},
        "kind": {"CatalogItem": 1},
        "tag": {"postgresql": 1, "sql": 1},
    },
    "pagination": {"hasMore": False, "nextCursor": None, "totalCount": 1},
}

DRY_RUN: dict[str, Any] = {
    "valid": True,
    "fields": {"instanceName": "orders-db", "storageSize": 100},
    "actions": [
        {
            "id": "jira-ticket-1",
            "index": 0,
            "type": "jira-ticket",
            "name": "Ticket for the database team",
            "config": {"ticket": {"project": "DB", "summaryTemplate": "PostgreSQL orders-db"}},
            "complete": True,
            "dependsOn": [],
            "when": None,
            "timeout": None,
            "slow": False,
            "fallback": False,
        }
    ],
    "warnings": [],
}

REFRESH: dict[str, Any] = {"added": [], "changed": ["dns-record-internal"], "removed": []} | {
    "refused": []
}

FINDINGS: dict[str, Any] = {
    "data": [
        {
            "file": "databases/database-postgresql-standard.yaml",
            "line": 12,
            "column": 5,
            "path": "$.metadata.version",
            "rule": "metadata-version",
            "severity": "error",
            "message": "the version is not SemVer",
            "hint": "write it like 1.2.0",
        }
    ],
    "checkedAt": _TIME,
}

_FINDING: dict[str, Any] = FINDINGS["data"][0]

DOCUMENT_CHECK: dict[str, Any] = {
    "valid": False,
    "errors": 1,
    "warnings": 0,
    "suggestions": 0,
    "item": {
        "id": "database-postgresql-standard",
        "kind": "CatalogItem",
        "name": "PostgreSQL Database",
        "version": "1.2",
    },
    "findings": [_FINDING],
}

FORM_PREVIEW: dict[str, Any] = {**FORM, "findings": []}

TEMPLATE_TEST: dict[str, Any] = {
    "valid": False,
    "fields": {"hostName": "a.example.com"},
    "fieldErrors": [],
    "templates": [
        {
            "actionId": "record",
            "path": "$.fulfillment.manual.actions[0].config.ticket.summaryTemplate",
            "template": "DNS {{fields.hostName}}",
            "references": ["fields.hostName"],
            "result": "DNS a.example.com",
            "error": None,
        },
        {
            "actionId": "record",
            "path": "$.fulfillment.manual.actions[0].config.ticket.descriptionTemplate",
            "template": "for {{fields.hostNam}}",
            "references": [],
            "result": None,
            "error": {
                "rule": "template-name",
                "line": 1,
                "column": 5,
                "message": "there is no field hostNam",
                "suggestion": "fields.hostName",
            },
        },
    ],
    "findings": [],
}

HEALTH: dict[str, Any] = {
    "status": "ok",
    "version": "0.1.0",
    "checkedAt": _TIME,
    "components": {
        "database": {"status": "ok", "latencyMs": 1.2},
        "temporal": {"status": "ok", "latencyMs": 0.8},
        "worker": {"status": "ok", "pollers": 2},
        "jira": {"default": {"status": "ok", "latencyMs": 12.5, "checkedAt": _TIME}},
        "breakers": {
            "api.example.com": {
                "status": "ok",
                "state": "closed",
                "failures": 1,
                "lastError": "It answered 503.",
                "nextTryAt": None,
                "itemsLeftAlone": 0,
            },
            "other": {"status": "ok", "targets": 2, "leftAlone": 1},
        },
        "catalog": {"status": "ok", "items": 9, "loadedAt": _TIME, "ageSeconds": 12.3, "stale": 0}
        | {"source": "local folder", "refused": 0, "error": None, "outdated": None},
        "mirror": {
            "status": "ok",
            "lagSeconds": 0,
            "disagreements": 0,
            "repaired": 0,
            "reconciledAt": "2026-03-01T12:00:00.000Z",
        },
        "tasks": {
            "catalog-refresh": {"status": "ok", "restarts": 0, "error": None, "endedAt": None}
        },
    },
}

READY: dict[str, Any] = {"ready": True, "problems": []}

NOT_READY: dict[str, Any] = {"ready": False, "problems": ["no worker polls the task queue"]}

METRICS = """# HELP pao_catalog_items Catalog items in service.
# TYPE pao_catalog_items gauge
pao_catalog_items 9.0
"""

VERSION: dict[str, Any] = {
    "version": "0.1.0",
    "gitSha": "0b35db8",
    "buildTime": _TIME,
    "schemaVersion": "0007",
}
