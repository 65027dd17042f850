"""What every action type promises, held over all; targets: support/contract_targets."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from temporalio.exceptions import ApplicationError

from activities.registry import load_all
from catalog.action_rendering import render_action
from catalog.scopes import ScopeContext
from pao.core.payloads.actions import FormerCall
from tests.support.actions import ActionRunner
from tests.support.contract_targets import ELSEWHERE, TARGETS
from tests.support.requests import Request
from tests.support.targets import SECRET, SIGNING_KEY, ContractTarget, RestTarget
from tests.support.worker import eventually

EVERY = sorted(load_all())
HIDDEN = (SECRET, SIGNING_KEY)


def test_every_type_is_held_to_the_contract_here_or_by_a_suite_of_its_own() -> None:
    assert set(EVERY) == TARGETS.keys() | ELSEWHERE.keys()
    assert not TARGETS.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize("name", EVERY)
def test_schema_and_examples_agree(name: str) -> None:
    action = load_all()[name]
    schema = action.config.model_json_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(action.outputs.model_json_schema())
    for example in action.examples:
        read = action.config.model_validate(example)
        assert read.model_dump(mode="json") is not None
    required = set(schema.get("required", ()))
    assert all(required <= example.keys() for example in action.examples)


@pytest.fixture(params=sorted(TARGETS))
def target(
    request: pytest.FixtureRequest, tmp_path: Path, terraform_program: Path
) -> Iterator[ContractTarget]:
    made = TARGETS[request.param](tmp_path, terraform_program)
    yield made
    made.close()


@pytest.fixture
async def stage(target: ContractTarget) -> AsyncIterator[ActionRunner]:
    made = target.stage()
    yield made
    await made.close()


def holds_outputs(stage: ActionRunner, outputs: dict[str, Any]) -> None:
    stage.action.outputs.model_validate(outputs)
    declared = stage.action.outputs.model_json_schema()
    missing = set(declared.get("required", ())) - outputs.keys()
    assert not missing
    if stage.action.outputs.model_config.get("extra") != "allow":
        assert outputs.keys() <= declared["properties"].keys()


def is_clean(*shown: object) -> None:
    text = " ".join(map(str, shown))
    for secret in HIDDEN:
        assert secret not in text


async def test_outputs_are_as_declared_and_hold_no_secret(
    target: ContractTarget, stage: ActionRunner
) -> None:
    result = await stage.execute(stage.request(target.config()))
    holds_outputs(stage, result.outputs)
    assert target.effects() == 1
    assert result.cleanup
    is_clean(result, target.lines.said)


async def test_a_dry_run_sends_nothing_and_shows_stars(
    target: ContractTarget, stage: ActionRunner
) -> None:
    request = stage.request(target.config())
    shown = render_action(
        request.plan[0],
        request.context,
        ScopeContext(),
        targets=stage.action.targets,
        secrets={},
        outputs={},
        reveal=False,
    )
    assert target.effects() == 0
    assert "********" in str(shown)
    is_clean(shown)


@pytest.mark.parametrize("status", [None, 500, 503, 302, 408])
async def test_an_effect_without_a_proof_is_in_doubt_and_found_or_made_once(
    target: ContractTarget, stage: ActionRunner, status: int | None
) -> None:
    request = stage.request(target.config())
    target.cut() if status is None else target.fail_after(status)
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(request)
    assert caught.value.type == "OutcomeUnknown"
    assert target.effects() == 1
    target.well()
    found = await stage.again(request)
    assert (await stage.again(request)).outputs == found.outputs
    holds_outputs(stage, found.outputs)
    assert target.effects() == 1 or not target.knows_repeats


async def test_a_look_changes_nothing(target: ContractTarget, stage: ActionRunner) -> None:
    request = stage.request(target.config())
    answer = await stage.look(request)
    assert answer.answer in {"absent", "unknown"}
    assert target.effects() == 0
    is_clean(answer)


async def test_no_failure_tells_a_secret_although_the_target_repeats_it(
    target: ContractTarget, stage: ActionRunner, caplog: pytest.LogCaptureFixture
) -> None:
    target.refuse()
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(stage.request(target.config()))
    assert caught.value.type == "ActionFailed"
    assert caught.value.__cause__ is None, "a cause goes into history as well"
    is_clean(caught.value.message, caught.value.details, target.lines.said, caplog.text)
    assert target.effects() == 0


async def test_a_cancelled_action_ends_promptly(
    target: ContractTarget, stage: ActionRunner
) -> None:
    target.hang()
    running = asyncio.create_task(stage.execute(stage.request(target.config())))
    await eventually(target.hanging)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=5)
    assert done, "it goes on although it was cancelled"
    # A type that knows what it has left tells it, in place of the bare cancellation.
    assert running.cancelled() or isinstance(running.exception(), ApplicationError)


async def _corrected(
    target: ContractTarget, stage: ActionRunner
) -> tuple[Request, list[FormerCall]]:
    """Return a request with corrected fields whose effect of former ones is there."""
    request = stage.request(target.config())
    target.cut()
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(request)
    target.well()
    assert target.effects() == 1
    is_clean(caught.value.details)
    request.context.fields = {**request.context.fields, "title": "corrected"}
    return request, [FormerCall(1, sealed=caught.value.details[0]["sent"])]


async def test_what_exists_with_former_values_is_not_called_corrected(
    target: ContractTarget, stage: ActionRunner
) -> None:
    request, former = await _corrected(target, stage)
    looked = await stage.look(request, former=former)
    if stage.action.converges:
        # It judges what is there by the corrected values, and makes the difference.
        assert not looked.exists
        await stage.execute(request, attempt=2, look_first=True, former=former)
        return
    assert (looked.changed, looked.exists) == (True, True)
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(request, attempt=2, look_first=True, former=former)
    assert caught.value.details[0]["code"] == "EXISTS_WITH_FORMER_VALUES"
    assert caught.value.details[0]["sent"] is None, "nothing was sent"
    assert target.effects() == 1
    is_clean(caught.value.message, looked)


async def test_a_type_that_can_revise_changes_what_exists(
    target: ContractTarget, stage: ActionRunner
) -> None:
    request, former = await _corrected(target, stage)
    if not stage.action.can_revise:
        return
    given = {"attempt": 2, "look_first": True, "former": former, "revise": True}
    result = await stage.execute(request, **given)
    holds_outputs(stage, result.outputs)
    assert target.effects() == 1 + target.revisions_add
    is_clean(result, target.lines.said)


def test_a_place_is_named_by_the_configuration_alone(stage: ActionRunner) -> None:
    config = stage.action.config.model_validate(stage.action.examples[0])
    place = stage.action.place(config)
    assert place or stage.action.converges
    assert place == stage.action.place(config)


def test_evidence_must_have_the_outputs_that_are_declared(stage: ActionRunner) -> None:
    config = stage.action.config.model_validate(stage.action.examples[0])
    with pytest.raises(ValueError, match="the outputs lack"):
        stage.action.from_evidence(config, {})


@pytest.fixture
def other(tmp_path: Path, terraform_program: Path) -> Iterator[ContractTarget]:
    made = RestTarget(tmp_path, terraform_program)
    yield made
    made.close()


async def test_a_target_that_keeps_failing_is_left_alone_and_the_others_go_on(
    target: ContractTarget, stage: ActionRunner, other: ContractTarget
) -> None:
    for _ in range(target.patience):
        target.away()
        with pytest.raises(ApplicationError):
            await stage.execute(stage.request(target.config()))
    made = target.effects()
    with pytest.raises(ApplicationError, match="circuit breaker for") as caught:
        await stage.execute(stage.request(target.config()))
    assert caught.value.type == "ActionFailed"
    assert caught.value.details[0]["code"] == "EXTERNAL_SERVICE_ERROR"
    assert target.effects() == made
    assert SECRET not in caught.value.message

    # A worker's breakers are those of all its types.
    beside = other.stage(network=stage.network)
    await beside.execute(beside.request(other.config()))
    assert other.effects() == 1
