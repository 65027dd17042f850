"""`pao request cleanup` and `pao terraform`: what is left, what is done, and what is free."""

from typing import Any

from tests.pao.app.cli.scripted import REQUEST, REQUEST_ID, Pao, Service, request

DONE = {"by": "ada", "at": "2026-03-01T10:00:00Z", "note": "destroyed in the console"}
LEFT: dict[str, Any] = {"entryId": "a" * 16, "action": "host", "type": "jira-ticket", "id": "DB-1"}
LEFT |= {"instructions": "Close DB-1.", "done": None}
OPEN = {"entryId": "b" * 16, "action": "net", "resource": "a.b", "instructions": "Destroy a.b."}
STATE: dict[str, Any] = {"id": 17, "place": "the backend http (address https://s.example/a)"}
STATE |= {"shared": False, "resources": 2, "released": None}


def test_what_is_left_is_listed_once_with_who_has_dealt_with_it(pao: Pao, service: Service) -> None:
    same = {"entryId": LEFT["entryId"], "resource": "DB-1", "instructions": "Close DB-1."}
    cleanup = [OPEN | {"done": DONE}, same]
    service.on("GET", REQUEST, request(leftBehind=[LEFT], errorContext={"cleanup": cleanup}))

    result = pao("request", "cleanup", REQUEST_ID)

    assert result.exit_code == 0, result.output
    assert result.stdout.count("Close DB-1.") == 1
    assert f"- {LEFT['entryId']}  DB-1" in result.stdout
    assert f"✓ {OPEN['entryId']}  a.b  done by ada" in result.stdout
    assert "destroyed in the console" in result.stdout


def test_entries_are_marked_with_a_note(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, request(leftBehind=[LEFT | {"done": DONE}]))
    for entry in (LEFT, OPEN):
        service.on("POST", f"{REQUEST}/cleanup/{entry['entryId']}", request())
    both = ["--done", str(LEFT["entryId"]), "--done", str(OPEN["entryId"])]

    assert pao("request", "cleanup", REQUEST_ID, *both).exit_code == 2, "a note is needed"
    assert service.calls == []
    result = pao("request", "cleanup", REQUEST_ID, *both, "--note", "gone")

    assert result.exit_code == 0, result.output
    posts = [call for call in service.calls if call.method == "POST"]
    assert [call.body for call in posts] == [{"note": "gone"}, {"note": "gone"}]


def test_a_request_shows_what_is_dealt_with(pao: Pao, service: Service) -> None:
    context = {"cleanup": [OPEN | {"done": DONE}]}
    ended = request(status="aborted", errorContext=context, leftBehind=[LEFT])
    service.on("GET", REQUEST, ended)
    shown = pao("request", "get", REQUEST_ID).stdout
    assert f"pao request cleanup {REQUEST_ID}" in shown
    assert "✓ done by ada" in shown


def test_a_state_is_released_with_a_persons_word(pao: Pao, service: Service) -> None:
    service.on("GET", f"{REQUEST}/terraform-states", {"data": [STATE]})
    service.on("POST", "/terraform-states/17/release", STATE | {"released": DONE})

    listed = pao("terraform", "states", REQUEST_ID)
    released = pao("terraform", "release", "17", "--destroyed", "--note", "gone")

    [_, row] = listed.stdout.splitlines()
    assert row.split("  ")[0] == "17"
    assert "the backend http (address https://s.example/a)" in row
    [call] = service.calls_of("POST", "/terraform-states/17/release")
    assert call.body == {"note": "gone", "destroyed": True}
    assert "by ada: " in released.stdout
