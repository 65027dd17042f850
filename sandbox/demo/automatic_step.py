"""The demo's step about automation: actions run automatically and pass on their outputs."""

from sandbox.demo.steps import Order, Play

ALIAS = "network-dns-alias"


def an_automatic_item(play: Play) -> None:
    """Show an item without a ticket: an API makes the record, and the next action is told of it."""
    about = (
        "dana asks for a DNS alias. No ticket: a REST API makes the record and takes its time; PAO "
        "waits for it, and then tells the inventory, signed, what was made."
    )
    name = play.named("www")
    order = Order(ALIAS, name, {"name": name, "target": "www.example.com"})
    with play.stage.step("A request is fulfilled automatically", about):
        answer = play.submit(order)
        done = play.pao.reached(answer.request, "completed")
        actions = {action["id"]: action for action in done.document.get("actions") or ()}
        play.stage.check(
            "Both actions completed, one after the other",
            expected={"record": "completed", "tell": "completed"},
            came={key: action["status"] for key, action in actions.items()},
        )
        made = (actions.get("record") or {}).get("outputs") or {}
        play.stage.fact("record", made.get("recordId"))
        play.stage.check("The record's id is an output", expected=True, came="recordId" in made)
