"""The stored status of a ticket: shown with the request, and told when JIRA does not answer."""

import httpx

from activities.ticket_status import TicketUpdater
from pao.app import assembly
from pao.clients.inspection import WorkflowInspector
from tests.support.stack import Stack
from tests.support.submissions import submit_completed


async def update(stack: Stack) -> None:
    database = assembly.database(stack.settings, application_name="tests")
    jira = assembly.jira_instances(stack.settings)
    inspector = WorkflowInspector(stack.temporal, task_queue=stack.task_queue)
    try:
        box = assembly.secret_box(stack.settings)
        await TicketUpdater(database, inspector, jira, box=box).update()
    finally:
        jira.close()
        await database.close()


def test_the_last_known_status_is_shown_and_stands_in_for_a_jira_that_is_away(
    stack: Stack, dana: httpx.Client
) -> None:
    document = submit_completed(dana)
    where = f"/requests/{document['id']}"
    assert document["actions"][0]["ticketStatus"] is None
    stack.jira.move(document["actions"][0]["externalReference"], "In Progress")
    stack.run(update(stack))
    stored = dana.get(where).json()["actions"][0]["ticketStatus"]
    assert (stored["status"], stored["mappedStatus"]) == ("In Progress", "in_progress")
    port = stack.jira.port
    stack.jira.stop()
    try:
        [ticket] = dana.get(f"{where}/status").json()["tickets"]
    finally:
        stack.jira.start(port=port)
    assert (ticket["live"], ticket["status"]) == (False, "In Progress")
    assert (ticket["checkedAt"], ticket["mapped"]) == (stored["checkedAt"], True)
