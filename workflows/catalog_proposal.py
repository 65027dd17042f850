"""The workflow that checks one pull or merge request at one commit."""

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.payloads.catalog import CatalogProposal
from workflows import policies
from workflows.maintenance import forget_earlier_runs


@workflow.defn(name=names.CATALOG_PROPOSAL_WORKFLOW)
class CatalogProposalWorkflow:
    """Checks once; only the people who read the check wait for it."""

    @workflow.run
    async def run(self, proposal: CatalogProposal) -> str:
        """Return the outcome: untouched, valid, refused, ignored or failed."""
        try:
            outcome: str = await workflow.execute_activity(
                names.CHECK_PROPOSAL_ACTIVITY,
                proposal,
                result_type=str,
                summary=f"check request {proposal.number or ''} at {proposal.commit[:12]}",
                **policies.CATALOG_PROPOSAL,
            )
        except FailureError:
            # Whatever an activity raises was logged where it arose, and is in the catalog's status.
            return "failed"
        await forget_earlier_runs()
        return outcome
