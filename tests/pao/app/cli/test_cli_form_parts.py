"""`pao catalog init --with`, `preview` and `test`: computed values, rows, rules and options."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from pao.app.cli.form_parts import PARTS
from pao.app.cli.main import app
from tests.support.stack import SAMPLES

Run = Callable[..., Result]
ANSWERS = {
    "name": "Web Cache",
    "category": "caches",
    "id": "cache-web-standard",
    "description": "A cache for web applications that have to answer faster than a database.",
    "team": "team-caches",
    "contact": "",
    "project": "PLATFORM",
}


@pytest.fixture
def pao(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Result:
        clean = {"NO_COLOR": "1", "COLUMNS": "120", "PAO_URL": None, "CATALOG_PATH": None}
        result = CliRunner().invoke(app, ["catalog", *args], env=clean)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def init(pao: Run, parts: str) -> Result:
    options = [word for key, value in ANSWERS.items() for word in (f"--{key}", value)]
    return pao("init", *options, "--with", parts)


@pytest.mark.parametrize("parts", ["", *PARTS, ",".join(PARTS)])
def test_an_item_with_any_parts_is_valid_and_its_case_holds(
    pao: Run, tmp_path: Path, parts: str
) -> None:
    assert init(pao, parts).exit_code == 0
    (file,) = tmp_path.glob("caches/*.yaml")
    checked = pao("validate", str(file))
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert "1 case, 0 failed" in pao("test", str(file)).stderr


def test_a_part_that_does_not_exist_is_named(pao: Run) -> None:
    result = init(pao, "list,tables")
    assert result.exit_code == 2
    assert "there is no part 'tables'" in result.stderr


def test_a_preview_shows_what_is_computed_required_offered_and_compared(
    pao: Run, tmp_path: Path
) -> None:
    init(pao, ",".join(PARTS))
    (file,) = tmp_path.glob("caches/*.yaml")
    shown = pao("preview", str(file)).stdout
    for part in (
        "= {{fields.environment}}-{{fields",
        "owner: select, options from teams",
        "rules: list, at most 20 of them, different by source",
        "· Port  port: integer, from 1",
        "terms: boolean, must be true",
        "Rule warn-before-critical  {{fields.warn < fields.critical}}",
    ):
        assert part in shown
    vpn = pao("preview", str(SAMPLES / "access" / "access-vpn-user.yaml")).stdout
    assert "required when {{'production' in fields.networks}}" in vpn


def test_a_preview_says_of_rows_what_it_says_of_the_form_and_whom_options_ask(
    pao: Run, tmp_path: Path
) -> None:
    init(pao, "list")
    (file,) = tmp_path.glob("caches/*.yaml")
    call = "https://inventory.example.com/zones, headers: {X-Token: '{{secrets.zones}}'}"
    rows = f"""
              - {{id: kind, name: Kind, type: select, enum: [open, closed], description: Of it.}}
              - {{id: why, name: Why, type: string, required: {{when: "fields.kind == 'open'"}},
                 conditional: {{dependsOn: kind, condition: exists, value: true}}}}
              - {{id: full, name: Full, type: string,
                 default: {{template: "a-{{{{fields.why}}}}"}}}}
              - {{id: zone, name: Zone, type: select, options: {{from: http, url: {call}}}}}
"""
    before, _, after = file.read_text().partition("              - {id: port,")
    file.write_text(f"{before}{rows.lstrip(chr(10))}              - {{id: port,{after}")
    shown = " ".join(pao("preview", str(file)).stdout.split())
    for part in (
        "· Kind kind: select, one of open, closed Of it.",
        "· Why why: string required when fields.kind == 'open' shown when kind is given",
        "· Full full: string, = a-{{fields.why}}",
        "· Port port: integer, from 1, default 443",
        "options from http inventory.example.com with the secret zones (PAO_SECRET_ZONES)",
    ):
        assert part in shown, shown


def test_a_case_says_which_options_there_are_and_what_comes_out(pao: Run, tmp_path: Path) -> None:
    file = SAMPLES / "features" / "feature-flag-rollout.yaml"
    folder = tmp_path / "features"
    (folder / "feature-flag-rollout.tests").mkdir(parents=True)
    (folder / file.name).write_text(file.read_text())
    fields = {"project": "shop", "feature": "new-checkout"}

    def outcome(**case: object) -> Result:
        case_file = folder / "feature-flag-rollout.tests" / "one.yaml"
        case_file.write_text(yaml.safe_dump({"fields": fields, **case}))
        return pao("test", str(folder))

    good = {"fields": {"key": "shop.new-checkout"}}
    assert outcome(options={"project": ["shop"]}, expect=good).exit_code == 0
    assert outcome(options={"project": ["billing"]}, expect=good).exit_code == 1
    refused = {"refused": [{"field": "project", "constraint": "enum"}]}
    assert outcome(options={"project": ["billing"]}, expect=refused).exit_code == 0
    wrong = outcome(expect={"fields": {"key": "shop.old"}})
    assert wrong.exit_code == 1
    assert "-  key: shop.old" in wrong.stdout
