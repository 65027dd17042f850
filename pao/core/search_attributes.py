"""The search attributes of a workflow in Temporal: item, state, requester."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from pao.core.payloads.context import RequestContext
from pao.core.states import RequestStatus

STATUS = SearchAttributeKey.for_keyword("PaoStatus")
CORRELATION_ID = SearchAttributeKey.for_keyword("PaoCorrelationId")


def search_attributes(context: RequestContext) -> TypedSearchAttributes:
    """Return the attributes of a request whose workflow is about to start."""
    values = {
        "PaoItem": context.item.id,
        STATUS.name: RequestStatus.SUBMITTED,
        "PaoRequester": context.requester.id,
        "PaoTeam": context.item.owner_team or "",
        CORRELATION_ID.name: context.correlation_id,
    }
    return TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword(name), value)
            for name, value in values.items()
        ]
    )
