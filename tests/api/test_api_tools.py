"""Trying documents out over HTTP: findings with places, forms, templates filled in."""

import json
from typing import Any

import httpx
import pytest

from api.tools.documents import EXAMPLE
from tests.support.stack import SAMPLES
from tests.support.submissions import error_of

YAML = {"Content-Type": "application/yaml"}
SAMPLE = (SAMPLES / "network" / "network-dns-record.yaml").read_text()
SECRET = (SAMPLES / "databases" / "database-postgresql-standard.yaml").read_text()


def check(caller: httpx.Client, text: str | bytes, **headers: str) -> dict[str, Any]:
    answer = caller.post("/validate/catalog-item", content=text, headers=headers or YAML)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_good_document_is_valid_as_yaml_and_as_json(dana: httpx.Client) -> None:
    assert check(dana, SAMPLE)["valid"] is True
    found = check(dana, json.dumps(EXAMPLE), **{"Content-Type": "application/json"})
    assert found["valid"] is True
    assert found["item"]["id"] == "network-dns-record"


def test_every_mistake_is_told_at_its_place_at_once(dana: httpx.Client) -> None:
    bad = SAMPLE.replace("version: 1.1.0", "version: one").replace("type: jira-ticket", "type: x")
    found = check(dana, bad)
    assert (found["valid"], found["errors"]) == (False, 2)
    lines = bad.splitlines()
    for finding in found["findings"]:
        assert set(finding) == {
            "file", "line", "column", "path", "rule", "severity", "message", "hint",
        }  # fmt: skip
    wrong = [lines[one["line"] - 1] for one in found["findings"] if one["severity"] == "error"]
    assert sorted(line.strip() for line in wrong) == ["type: x", "version: one"]


def test_a_mistake_in_json_has_a_place_as_well(dana: httpx.Client) -> None:
    text = json.dumps({**EXAMPLE, "kind": "Item"}, indent=2)
    found = check(dana, text, **{"Content-Type": "application/json"})
    assert [one["line"] for one in found["findings"] if one["severity"] == "error"] == [3]


def test_the_file_may_be_named_and_its_folder_counts(dana: httpx.Client) -> None:
    answer = dana.post(
        "/validate/catalog-item",
        params={"file": "storage/network-dns-record.yaml"},
        content=SAMPLE,
        headers=YAML,
    )
    findings = answer.json()["findings"]
    assert {one["file"] for one in findings} == {"storage/network-dns-record.yaml"}


@pytest.mark.parametrize(
    "text",
    [
        b"kind: [",
        b"[" * 20_000,
        b"a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n" * 2,
        b"\x00\x01binary",
        b"\xff\xfe\x00",
        b"- a\n- b\n",
        b"a: 1\n---\nb: 2\n",
        b"kind: CatalogItem\nkind: CatalogItem\n",
        b"plain text",
    ],
)
def test_whatever_is_sent_as_yaml_gives_findings_with_a_place(
    dana: httpx.Client, text: bytes
) -> None:
    found = check(dana, text)
    assert found["valid"] is False
    assert all(one["line"] > 0 and one["column"] > 0 for one in found["findings"])
    assert found["findings"]


@pytest.mark.parametrize("path", ["/validate/catalog-item", "/preview/form"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("application/json", "kind: CatalogItem"),
        ("application/json", "[" * 5_000),
        ("application/json", '{"a": ' + "1" * 5_000 + "}"),
        ("application/xml", "<a/>"),
        ("application/yaml", "  \n"),
    ],
)
def test_a_body_that_is_no_document_is_a_400(
    dana: httpx.Client, path: str, kind: str, text: str
) -> None:
    answer = dana.post(path, content=text, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert error_of(answer)["details"][0]["message"]


def test_a_form_is_drawn_before_the_rest_of_its_document_is_right(dana: httpx.Client) -> None:
    bad = SAMPLE.replace("type: jira-ticket", "type: x").replace("version: 1.1.0", "version: one")
    answer = dana.post("/preview/form", content=bad, headers=YAML).json()
    published = dana.get("/catalog/items/network-dns-record/schema").json()
    assert (answer["form"], answer["jsonSchema"]) == (published["form"], published["jsonSchema"])
    assert len([one for one in answer["findings"] if one["severity"] == "error"]) == 2


def test_a_form_that_cannot_work_is_refused_with_places(dana: httpx.Client) -> None:
    bad = SAMPLE.replace("type: string", "type: strin")
    answer = dana.post("/preview/form", content=bad, headers=YAML)
    assert answer.status_code == 422
    details = error_of(answer)["details"]
    assert details
    assert all(detail["message"].startswith("line ") for detail in details)


def test_templates_are_filled_in_with_what_they_read(dana: httpx.Client) -> None:
    body = {"catalogItemId": "network-dns-record", "fields": {"hostName": "a.example.com"}}
    answer = dana.post("/test/variables", json=body | {"fields": {"hostName": "a.example.com"}})
    by_path = {one["path"].rpartition(".")[2]: one for one in answer.json()["templates"]}
    summary = by_path["summaryTemplate"]
    assert "a.example.com" in summary["result"]
    assert "fields.hostName" in summary["references"]
    assert summary["error"] is None
    missing = [one["field"] for one in answer.json()["fieldErrors"]]
    assert (missing, answer.json()["valid"]) == (["address"], False)


def test_a_wrong_template_is_told_with_its_place_and_the_others_are_filled_in(
    dana: httpx.Client,
) -> None:
    item = json.loads(json.dumps(EXAMPLE))
    ticket = item["fulfillment"]["manual"]["actions"][0]["config"]["ticket"]
    ticket["descriptionTemplate"] = "Name:\n  {{fields.hostNam}}"
    answer = dana.post("/test/variables", json={"item": item, "fields": {"hostName": "a"}}).json()
    good, bad = answer["templates"]
    assert good["result"] == "DNS record a"
    assert (bad["error"]["line"], bad["error"]["column"]) == (2, 3)
    assert "hostName" in bad["error"]["suggestion"]
    assert answer["valid"] is False


def test_outputs_of_earlier_actions_may_be_given_and_are_made_up_otherwise(
    dana: httpx.Client,
) -> None:
    item = json.loads(json.dumps(EXAMPLE))
    actions = item["fulfillment"]["manual"]["actions"]
    actions[0]["id"] = "first"
    second = json.loads(json.dumps(actions[0])) | {"id": "second"}
    second["config"]["ticket"]["summaryTemplate"] = "after {{outputs.first.key}}"
    actions.append(second)
    for outputs, expected in (({"first": {"key": "NET-7"}}, "after NET-7"), ({}, "after ")):
        body = {"item": item, "fields": {"hostName": "a"}, "outputs": outputs}
        trial = dana.post("/test/variables", json=body).json()["templates"][-1]
        assert trial["result"].startswith(expected)
        assert trial["result"] != "after "


def test_passwords_show_as_stars(dana: httpx.Client) -> None:
    item = json.loads(json.dumps(EXAMPLE))
    fields = item["presentation"]["form"]["groups"][0]["fields"]
    fields.append({"id": "pin", "name": "Pin", "type": "password"})
    ticket = item["fulfillment"]["manual"]["actions"][0]["config"]["ticket"]
    ticket["descriptionTemplate"] = "{{ fields.pin | upper }}"
    body = {"item": item, "fields": {"hostName": "a", "pin": "h0rse-battery"}}
    answer = dana.post("/test/variables", json=body)
    assert "h0rse" not in answer.text.casefold()
    assert answer.json()["fields"]["pin"] == "********"
    assert answer.json()["templates"][-1]["references"] == ["fields.pin"]


@pytest.mark.parametrize(
    "body", [{}, {"item": {}, "catalogItemId": "a"}, {"item": "a: 1", "colour": 1}, {"item": 1}]
)
def test_a_test_names_one_item(dana: httpx.Client, body: dict[str, Any]) -> None:
    assert dana.post("/test/variables", json=body).status_code == 422


def test_a_test_of_an_item_that_is_not_there_is_a_404(dana: httpx.Client) -> None:
    answer = dana.post("/test/variables", json={"catalogItemId": "no-such-item"})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "CATALOG_ITEM_NOT_FOUND")


def test_a_parameter_that_does_not_exist_is_refused_with_a_suggestion(dana: httpx.Client) -> None:
    for path in ("/catalog?categry=network", "/requests?categry=x", "/catalog/items/a?categry=x"):
        answer = dana.get(path)
        assert answer.status_code == 400, path
        assert error_of(answer)["details"][0]["field"] == "categry"
    assert "category" in error_of(dana.get("/catalog?categry=network"))["details"][0]["message"]
