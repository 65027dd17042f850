"""Names that several packages share: workflows, signals, search attributes, marks."""

import hashlib

MAX_NAME = 100
USER_OR_TEAM = rf"^[\w.@+:/-]{{1,{MAX_NAME}}}$"
"""What users and teams may be called; anything else means nothing in the audit trail."""
NAME_CHARACTERS = r"^[\w.@+:/-]+$"
"""The same without the length, with which pydantic's own pattern takes 9 MB."""
NAME_RULE = "1 to 100 letters, digits and . @ + : / _ -"

REQUEST_WORKFLOW = "RequestWorkflow"
BUNDLE_WORKFLOW = "BundleWorkflow"
LOOK_WORKFLOW = "LookWorkflow"
EVIDENCE_WORKFLOW = "EvidenceWorkflow"
CHOICES_WORKFLOW = "ChoicesWorkflow"
FILES_WORKFLOW = "FilesWorkflow"
SWEEP_WORKFLOW = "SweepWorkflow"
RECONCILE_WORKFLOW = "ReconcileWorkflow"
TICKETS_WORKFLOW = "TicketStatusWorkflow"
MAINTENANCE_WORKFLOW = "MaintenanceWorkflow"
ANCHOR_WORKFLOW = "AuditAnchorWorkflow"
CATALOG_SYNC_WORKFLOW = "CatalogSyncWorkflow"
CATALOG_POLL_WORKFLOW = "CatalogPollWorkflow"
CATALOG_PROPOSAL_WORKFLOW = "CatalogProposalWorkflow"

SETTLED_UPDATE = "settled"
DECISION_OUTCOME_UPDATE = "decision_outcome"
TICKET_RESOLVED_SIGNAL = "ticket_resolved"
COMPONENT_SIGNAL = "component_changed"
CLEANUP_SIGNAL = "cleanup_done"
BUNDLE_DECISION_SIGNAL = "bundle_decision"
MIRROR_AGAIN_UPDATE = "mirror_again"
SNAPSHOT_QUERY = "snapshot"
LOOK_SIGNAL = "look"
REFRESH_UPDATE = "refresh"

MIRROR_ACTIVITY = "mirror"
ESCALATE_ACTIVITY = "escalation-ticket"
LOOK_ACTIVITY = "look"
FOLLOW_ACTIVITY = "follow"
STOP_TARGET_ACTIVITY = "stop-target"
CHECK_CORRECTION_ACTIVITY = "check-correction"
EVIDENCE_ACTIVITY = "check-evidence"
CHOICES_ACTIVITY = "fetch-choices"
FILES_ACTIVITY = "read-files"
COMPONENT_ACTIVITY = "prepare-component"
COMPONENTS_ACTIVITY = "read-components"
SWEEP_ACTIVITY = "sweep"
MAKE_ROW_ACTIVITY = "make-lost-row"
CHECK_SENDER_ACTIVITY = "check-sender"
PROVE_ACTIVITY = "prove"
CONDITION_ACTIVITY = "condition"
RECONCILE_ACTIVITY = "reconcile"
TICKETS_ACTIVITY = "update-ticket-status"
MAINTENANCE_ACTIVITY = "maintain"
ANCHOR_ACTIVITY = "anchor_audit"
FORGET_RUNS_ACTIVITY = "forget-turns"
SYNC_CATALOG_ACTIVITY = "sync-catalog"
POLL_CATALOG_ACTIVITY = "poll-catalog"
CHECK_PROPOSAL_ACTIVITY = "judge-catalog-proposal"

MIRROR_REFUSED = "MirrorRefused"
"""The error type of a state that the database refuses: a bug."""
PROOF = "proof"
"""The key under which a signal's payload carries the proof that PAO has sent it."""
FOREIGN_INSTALLATION = "ForeignInstallation"
"""The error type of an activity that a worker of another installation was given."""
SEALED_PREFIX = "pao:enc:"
ACTION_GROUP = "pao.actions"
"""The entry points by which other packages add action types."""

MASK = "********"

# All are Keyword: a dev server takes ten of that type. PaoTeam is the team that owns the item.
SEARCH_ATTRIBUTES = {
    "PaoItem": "Keyword",
    "PaoStatus": "Keyword",
    "PaoRequester": "Keyword",
    "PaoTeam": "Keyword",
    "PaoCorrelationId": "Keyword",
}

RETENTION_DAYS = 30
MAX_ATTEMPTS = 200
# Bytes of JSON: fields travel several times in one payload, and Temporal takes two million.
MAX_FIELDS_JSON = 300_000
MAX_PLAN_JSON = 1_300_000


def slow_queue(task_queue: str) -> str:
    """Return the queue of slow actions, separate from a worker's own so that they block nothing."""
    return f"{task_queue}-slow"


def waits_queue(task_queue: str) -> str:
    """Return the task queue of waits: a wait may take weeks, and costs next to nothing."""
    return f"{task_queue}-waits"


def catalog_sync_id(task_queue: str) -> str:
    """Return the id of the one workflow that reads an installation's catalog."""
    return f"{task_queue}-catalog-sync"


def catalog_proposal_id(task_queue: str, commit: str) -> str:
    """Return the id of the workflow that checks a pull or merge request at a commit."""
    return f"{task_queue}-catalog-proposal-{commit}"


def workflow_id(request_id: str) -> str:
    """Return the id of the one workflow that carries a request out."""
    return f"request-{request_id}"


def request_id_of(workflow: str) -> str:
    """Return the id of the request that a workflow of this id carries out."""
    return workflow.removeprefix("request-")


def mark(request_id: str, action_id: str, moves: int = 0) -> str:
    """Return the mark of an action's effect in its target: the same on every attempt.

    ``moves`` counts how often the action left something behind at a former place: its mark changes
    each time, or what was left would be found again. Twelve hexadecimal digits of SHA-256 over the
    ids, which are valid in a JIRA label.
    """
    suffix = f"\n{moves}" if moves else ""
    digest = hashlib.sha256(f"{request_id}\n{action_id}{suffix}".encode()).hexdigest()
    return f"pao-{digest[:12]}"


def masked(value: object) -> object:
    """Return a copy of a JSON value in which every sealed secret is masked."""
    if isinstance(value, str):
        return MASK if value.startswith(SEALED_PREFIX) else value
    if isinstance(value, dict):
        return {key: masked(member) for key, member in value.items()}
    if isinstance(value, list):
        return [masked(member) for member in value]
    return value
