"""SQLModel tables, one per file. They do not validate: that happens before data gets here."""

from db.models.access_key import AccessKey
from db.models.audit_log import AuditLog
from db.models.audit_proof import AuditAnchor, AuditAnchorHead, AuditHead
from db.models.breaker import BreakerRow
from db.models.catalog_blob import CatalogBlobRow
from db.models.catalog_file import CatalogFileRow
from db.models.catalog_item import CatalogItemRow
from db.models.catalog_state import CatalogStateRow
from db.models.cleanup_done import CleanupDone
from db.models.decision import DecisionRow
from db.models.idempotency_key import IdempotencyKey
from db.models.installation import InstallationRow
from db.models.lease import Lease
from db.models.maintenance_run import MaintenanceRun
from db.models.replay_signature import ReplaySignature
from db.models.request import Request
from db.models.request_action import RequestAction
from db.models.request_audience import RequestAudience
from db.models.request_event import RequestEvent
from db.models.request_wait import RequestWait
from db.models.schema_migration import SchemaMigration
from db.models.terraform_state import TerraformState
from db.models.web_bulk_decision import WebBulkDecision
from db.models.web_draft import WebDraft
from db.models.web_session import WebSession
from db.models.web_sign_in import WebSignIn
from db.models.web_star import WebStar

__all__ = [
    "AccessKey",
    "AuditAnchor",
    "AuditAnchorHead",
    "AuditHead",
    "AuditLog",
    "BreakerRow",
    "CatalogBlobRow",
    "CatalogFileRow",
    "CatalogItemRow",
    "CatalogStateRow",
    "CleanupDone",
    "DecisionRow",
    "IdempotencyKey",
    "InstallationRow",
    "Lease",
    "MaintenanceRun",
    "ReplaySignature",
    "Request",
    "RequestAction",
    "RequestAudience",
    "RequestEvent",
    "RequestWait",
    "SchemaMigration",
    "TerraformState",
    "WebBulkDecision",
    "WebDraft",
    "WebSession",
    "WebSignIn",
    "WebStar",
]
