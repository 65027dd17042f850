"""The parts of the action terraform that need no program: lines, bounds, what is sensitive."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from activities.actions.terraform import ACTION
from activities.terraform.cleanup import StateLocation, describe_location
from activities.terraform.config import TerraformBackend, TerraformConfig
from activities.terraform.events import Events, describe, parse_lock
from activities.terraform.execution_spec import ExecutionSpec, ModuleSource
from activities.terraform.hcl import read_folder
from activities.terraform.process import LINE_LIMIT, TAIL_LIMIT, BoundedOutput, LineReader, Tail
from activities.terraform.sensitive_values import SensitiveValues, sensitive_variables
from activities.terraform.state import filter_touched, resources_of
from activities.terraform.state_location import (
    breaker_target,
    foreign_request_in,
    location_settings,
)
from activities.terraform.working_directory import WorkingDirectory, write_json
from pao.runtime.masking import SecretMasks


async def lines_of(*chunks: bytes) -> list[str]:
    taken: list[str] = []

    async def take(line: str) -> None:
        taken.append(line)

    lines = LineReader(take)
    for chunk in chunks:
        await lines.take(chunk)
    await lines.end()
    return taken


async def test_lines_are_put_together_from_chunks() -> None:
    assert await lines_of(b"one\ntw", b"o\n", b"three") == ["one", "two", "three"]


async def test_a_line_without_an_end_is_cut_and_the_next_one_is_whole() -> None:
    long = b"x" * LINE_LIMIT
    first, second = await lines_of(long, long, b"rest\nnext\n")
    assert len(first) == LINE_LIMIT
    assert second == "next"


async def test_what_is_too_large_is_not_kept_at_all() -> None:
    whole = BoundedOutput(5)
    await whole.take(b"12345")
    assert (whole.content, whole.too_large) == (b"12345", False)
    await whole.take(b"6")
    assert (whole.content, whole.too_large) == (b"", True)


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ("", "one s3cret two"),
        ("x" * (TAIL_LIMIT - 8), "\u2026"),
        ("\nthree\n" + "x" * (TAIL_LIMIT - 16), "\u2026 three\n" + "x" * (TAIL_LIMIT - 16)),
    ],
)
async def test_of_a_line_that_was_cut_at_its_front_nothing_is_kept(more: str, kept: str) -> None:
    tail = Tail()
    await tail.take(b"one s3cret two")
    await tail.take(more.encode())
    assert tail.text == kept


def test_the_operators_credentials_are_hidden_and_other_settings_are_not() -> None:
    masks = SecretMasks()
    given = {
        "AWS_SECRET_ACCESS_KEY": "s3cret/of+the-operator",
        "TF_TOKEN_app_example_com": "tok-0123456789",
        "AWS_REGION": "eu-central-1",
    }
    SensitiveValues(masks).learn_environment(given)
    shown = masks.hide(f"denied: {' '.join(given.values())}")
    assert shown == "denied: ******** ******** eu-central-1"


def ring_after(plan: dict[str, Any]) -> SecretMasks:
    masks = SecretMasks()
    SensitiveValues(masks).learn_plan(plan)
    return masks


@pytest.mark.parametrize(
    "plan",
    [
        {
            "variables": {"key": {"value": "sensitive-text"}},
            "configuration": {"root_module": {"variables": {"key": {"sensitive": True}}}},
        },
        {"output_changes": {"o": {"after": "sensitive-text", "after_sensitive": True}}},
        {"output_changes": {"o": {"before": "sensitive-text", "before_sensitive": True}}},
        {
            "resource_changes": [
                {
                    "change": {
                        "after": {"list": [{"open": "x", "key": "sensitive-text"}]},
                        "after_sensitive": {"list": [{"key": True}]},
                    }
                }
            ]
        },
        {
            "resource_drift": [
                {"change": {"before": ["sensitive-text"], "before_sensitive": [True]}}
            ]
        },
        {"planned_values": {"outputs": {"o": {"sensitive": True, "value": ["sensitive-text"]}}}},
        {
            "prior_state": {
                "values": {
                    "root_module": {
                        "child_modules": [
                            {
                                "resources": [
                                    {
                                        "values": {"key": "sensitive-text"},
                                        "sensitive_values": {"key": True},
                                    }
                                ]
                            }
                        ]
                    }
                }
            }
        },
    ],
)
def test_every_place_where_a_plan_marks_a_value_is_learnt(plan: dict[str, Any]) -> None:
    assert "sensitive-text" in set(ring_after(plan))


def test_what_is_not_marked_stays_readable() -> None:
    change = {"after": {"open": "plain-text"}, "after_sensitive": {}}
    assert "plain-text" not in set(ring_after({"resource_changes": [{"change": change}]}))


def test_a_modules_sensitive_variables_are_known_before_terraform_has_read_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.tf").write_text(
        'variable "open" {\n  type = string\n}\n'
        'variable /* x */ "closed" { sensitive = (true) }\n'
        'variable "validated" {\n  validation {\n    condition = true\n  }\n'
        "  sensitive   = true\n}\n"
        'variable "last" {\n  description = "sensitive = true"\n}\n'
        'variable "no" { sensitive = false }\n'
    )
    document = {"variable": {"json": {"sensitive": True}, "other": {}}}
    (tmp_path / "b.tofu.json").write_text(json.dumps(document))
    assert sensitive_variables(read_folder(tmp_path)) == {"closed", "validated", "json"}


async def test_the_output_of_provisioners_is_not_logged() -> None:
    said: list[str] = []

    async def say(text: str, _data: dict[str, Any]) -> None:
        said.append(text)

    events = Events(info=say, warning=say)
    await events.take('{"@message":"x: secret things","type":"provision_progress"}')
    await events.take('{"@message": "x: done", "type": "apply_complete", "hook": null}')
    await events.take("[]")
    assert said == ["x: done"]
    assert events.not_json == 1


def test_a_diagnostic_is_one_readable_text() -> None:
    diagnostic = {
        "summary": "Invalid value",
        "detail": "It must be a number.",
        "address": "a.b",
        "range": {"filename": "main.tf", "start": {"line": 3}},
    }
    assert describe(diagnostic) == "main.tf line 3: a.b: Invalid value. It must be a number."
    assert describe({}) == "an error without a text."
    assert describe({"summary": "Bad token s3c...", "detail": "Set it."}) == (
        "Bad token s3c.... Set it."
    )


def test_only_a_refused_lock_is_taken_for_one() -> None:
    assert parse_lock("ID: 5") is None
    assert parse_lock(
        "Error acquiring the state lock\nError message: x\nLock Info:\n  ID:   5\n"
    ) == {"id": "5"}


def test_data_sources_are_nothing_to_clean_up() -> None:
    values = {
        "root_module": {
            "resources": [
                {"address": "data.a.b", "mode": "data", "type": "a"},
                {"address": "c.d", "mode": "managed", "type": "c", "values": {"id": 7}},
            ]
        }
    }
    [only] = resources_of(values)
    assert (only.address, only.type, only.id) == ("c.d", "c", "7")
    assert filter_touched([only], set(), own=True) == [only]
    assert filter_touched([only], {"x.y"}, own=False) == []


@pytest.mark.parametrize(
    ("source", "backend", "named"),
    [
        (
            ModuleSource(git="https://t0ken@git.example.com/a/b", ref="v1", directory="net"),
            ("s3", {"bucket": "states", "secret_key": "t0ken"}),
            "terraform https://git.example.com/a/b//net with state in s3 states",
        ),
        (
            ModuleSource(registry="acme/vpc/aws", version="1.0.0"),
            ("http", {"address": "https://me:t0ken@states.example.com/request-1?key=t0ken"}),
            "terraform acme/vpc/aws with state in http states.example.com",
        ),
        (
            ModuleSource(path="/modules/net"),
            ("pg", {"conn_str": "postgres://me:t0ken@db.example.com/states"}),
            "terraform /modules/net with state in pg",
        ),
        (ModuleSource(path="/modules/net"), (None, {}), "terraform /modules/net"),
    ],
)
def test_a_breaker_is_named_by_module_and_place_of_the_state_without_credentials(
    source: ModuleSource, backend: tuple[str | None, dict[str, str]], named: str
) -> None:
    assert breaker_target(source, *backend) == named


def made_by_hand(tmp_path: Path, spec: ExecutionSpec, backend: str | None) -> StateLocation:
    directory = WorkingDirectory(tmp_path)
    directory.data.mkdir()
    config = {**spec.backend_config, "secret_key": "t0ken"}
    if spec.backend:
        write_json(directory.backend, config)
    told = {"backend": {"type": backend, "config": config}}
    write_json(directory.data / "terraform.tfstate", told)
    return describe_location(spec, directory, program="/bin/tofu", backend=backend or "local")


def test_where_a_state_is_names_module_ref_bucket_key_and_workspace(tmp_path: Path) -> None:
    spec = ExecutionSpec(
        source=ModuleSource(git="https://t0ken@git.example.com/a/b", ref="v1.4.0", directory="net"),
        workspace="pao-1",
        own=True,
        backend="s3",
        backend_config={"bucket": "states", "key": "my key", "region": "eu-west-1"},
    )
    where = made_by_hand(tmp_path, spec, "s3")
    assert str(where) == (
        "workspace pao-1 of the backend s3 (bucket states, key my key, region eu-west-1), "
        "module https://git.example.com/a/b//net at v1.4.0"
    )
    assert where.destroy("a.b[0]") == (
        "git clone https://git.example.com/a/b module && git -C module checkout v1.4.0 && "
        "cd module/net && "
        """printf %s '{"terraform": {"backend": {"s3": {"bucket": "states", "key": "my key", """
        """"region": "eu-west-1"}}}}' > backend_override.tf.json && """
        "tofu init && tofu workspace select pao-1 && tofu destroy -target='a.b[0]'"
    )


def test_a_module_of_a_registry_with_a_backend_of_its_own_is_named_too(tmp_path: Path) -> None:
    source = ModuleSource(registry="acme/vpc/aws", version="1.2.0", directory="modules/inner")
    where = made_by_hand(tmp_path, ExecutionSpec(source=source, workspace="w", own=False), "pg")
    assert str(where) == (
        "workspace w of the backend pg, module acme/vpc/aws//modules/inner at 1.2.0"
    )
    assert where.commands == (
        "mkdir module && cd module && "
        """printf %s '{"module": {"root": {"source": "acme/vpc/aws", "version": "1.2.0"}}}' """
        "> main.tf.json && tofu get && cd .terraform/modules/root/modules/inner && tofu init && "
        "tofu workspace select w"
    )


@pytest.mark.parametrize("key", ["address", "lock_address", "key", "prefix"])
@pytest.mark.parametrize("step", ["..", "%2e%2e", "..%2f..", ".", "..\\\\"])
def test_a_backend_whose_address_climbs_is_refused(key: str, step: str) -> None:
    config = {key: f"https://states.example.com/teams/{step}/shop"}
    with pytest.raises(ValidationError, match="leads elsewhere"):
        TerraformBackend(type="http", config=config)
    assert TerraformBackend(type="http", config={key: "https://states.example.com/teams/a.b/shop"})


def test_a_place_names_module_backend_and_workspace_without_credentials() -> None:
    source = {"git": "https://t0ken@git.example.com/a/b", "ref": "v1", "directory": "net"}
    backend = {"type": "s3", "config": {"bucket": "states", "key": "k", "secret_key": "t0ken"}}
    place = ACTION.place(TerraformConfig.model_validate({"source": source, "backend": backend}))
    assert place == (
        "workspace of the request of the backend s3 (bucket states, key k), "
        "module https://git.example.com/a/b//net"
    )
    other = {"source": {**source, "ref": "v2"}, "backend": backend}
    assert ACTION.place(TerraformConfig.model_validate(other)) == place
    moved = TerraformConfig.model_validate(other | {"workspace": "production"})
    assert ACTION.place(moved).startswith("workspace production of the backend s3")


def test_the_id_of_another_request_in_a_backend_is_seen() -> None:
    own, other = "1cb251ec-0d56-8de6-a929-b7c4a2c1f392", "2cb251ec-0d56-8de6-a929-b7c4a2c1f392"
    assert foreign_request_in({"address": f"https://s/{own.upper()}"}, own) is None
    assert foreign_request_in({"address": f"https://s/{own}/{other.upper()}"}, own) == other
    assert foreign_request_in({"client_id": other}, own) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (r"host=db password='it\'s it' user=ann dbname=a", "host=db dbname=a"),
        ("host=db password='" + r"\a" * 5_000, "host=db"),
    ],
)
def test_a_connection_is_shown_without_its_account(given: str, shown: str) -> None:
    assert location_settings({"conn_str": given}) == {"conn_str": shown}
