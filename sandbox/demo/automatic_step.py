"""The demo's step about automation: actions run automatically and pass on their outputs."""

from sandbox.demo.steps import DemoRun, SampleRequest

ALIAS = "network-dns-alias"


def an_automatic_item(demo: DemoRun) -> None:
    """Show an item without a ticket: an API creates the record, the next action gets its id."""
    about = (
        "dana asks for a DNS alias. No ticket: a REST API creates the record, which takes a while; "
        "PAO waits, then informs the inventory with a signed call."
    )
    name = demo.unique_name("www")
    sample = SampleRequest(ALIAS, name, {"name": name, "target": "www.example.com"})
    with demo.output.step("A request is fulfilled automatically", about):
        answer = demo.submit(sample)
        done = demo.pao.wait_for_status(answer.request, "completed")
        actions = {action["id"]: action for action in done.document.get("actions") or ()}
        demo.output.check(
            "Both actions completed, one after the other",
            expected={"record": "completed", "tell": "completed"},
            actual={key: action["status"] for key, action in actions.items()},
        )
        made = (actions.get("record") or {}).get("outputs") or {}
        demo.output.fact("record", made.get("recordId"))
        demo.output.check("The record's id is an output", expected=True, actual="recordId" in made)
