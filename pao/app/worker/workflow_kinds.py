"""All workflows that a worker runs and the replay gate replays."""

from workflows.bundle import BundleWorkflow
from workflows.catalog_proposal import CatalogProposalWorkflow
from workflows.catalog_sync import CatalogSyncWorkflow
from workflows.look import ChoicesWorkflow, EvidenceWorkflow, FilesWorkflow, LookWorkflow
from workflows.maintenance import MAINTENANCE_WORKFLOWS
from workflows.request import RequestWorkflow
from workflows.sweep import SweepWorkflow

WORKFLOWS: list[type] = [
    RequestWorkflow,
    BundleWorkflow,
    LookWorkflow,
    EvidenceWorkflow,
    ChoicesWorkflow,
    FilesWorkflow,
    SweepWorkflow,
    CatalogSyncWorkflow,
    CatalogProposalWorkflow,
    *MAINTENANCE_WORKFLOWS,
]
