"""Everything that leaves an activity is masked, field by field, also the fields of tomorrow."""

from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest

from activities.action_errors import (
    ActionError,
    ActionFailedError,
    IncompleteError,
    NothingToAdoptError,
    OutcomeUnknownError,
    RepeatIsSafeError,
    application_error,
)
from activities.base import ActionConfig, ActionContext
from activities.disclosure import UNMASKED_FIELDS, Disclosure, sealing_context
from activities.log import ActionLog, LogLine
from activities.progress import ActionProgress
from activities.registry import load_all
from pao.core.names import SEALED_PREFIX
from pao.core.payloads.actions import ActionResult, LookResult
from pao.core.payloads.choices import ChoicesAnswer
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.files import FilesAnswer
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretBox, generate_key
from pao.runtime.masking import SecretMasks

SECRET = "S3ntinel-Pa55word"
BOX = SecretBox(f"k1:{generate_key()}")
LEAVING = [
    ActionResult,
    LookResult,
    PartialResource,
    ActionFailure,
    Pending,
    ChoicesAnswer,
    FilesAnswer,
]


def disclosure() -> Disclosure:
    return Disclosure(SecretMasks([SECRET]), BOX, sealing_context("r", "a"))


def filled(kind: type) -> Any:
    """Return an instance in which every field holds the secret, as deep as its type goes."""
    hints = get_type_hints(kind)
    return kind(
        **{
            one.name: f"our {one.name}"
            if (kind.__name__, one.name) in UNMASKED_FIELDS
            else of(hints[one.name])
            for one in fields(kind)
        }
    )


def of(hint: Any) -> Any:
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    plain = next(option for option in options if option is not type(None))
    if is_dataclass(plain):
        return filled(plain if isinstance(plain, type) else type(plain))
    origin = getattr(plain, "__origin__", plain)
    if origin is list:
        return [of(get_args(plain)[0])]
    if origin is dict:
        return {"k": f"is {SECRET}", SECRET: [{"deep": SECRET}], "url": f"https://h/?key={SECRET}"}
    values = {str: f"is {SECRET}", bool: True, int: 5}
    assert plain in values, f"say in this test how a field of {hint} is filled"
    return values[plain]


@pytest.mark.parametrize("kind", LEAVING)
def test_no_field_of_what_leaves_an_activity_tells_a_secret(kind: type) -> None:
    given = filled(kind)
    masked = disclosure()._mask(given)
    assert SECRET in repr(given)
    assert SECRET not in repr(masked)
    for one in fields(kind):
        if (kind.__name__, one.name) in UNMASKED_FIELDS:
            assert getattr(masked, one.name) == f"our {one.name}"


def test_every_class_that_a_result_or_an_error_is_made_of_is_looked_at() -> None:
    seen: set[type] = set()

    def walk(hint: Any) -> None:
        for part in (hint, *get_args(hint)):
            if isinstance(part, type) and is_dataclass(part) and part not in seen:
                seen.add(part)
                for inner in get_type_hints(part).values():
                    walk(inner)
            elif part is not hint:
                walk(part)

    walk(ActionResult)
    walk(LookResult)
    walk(ActionFailure)
    walk(ChoicesAnswer)
    walk(FilesAnswer)
    assert seen == set(LEAVING)


@pytest.mark.parametrize(
    "kind",
    [
        ActionFailedError,
        RepeatIsSafeError,
        IncompleteError,
        NothingToAdoptError,
        OutcomeUnknownError,
    ],
)
def test_no_attribute_of_an_error_tells_a_secret(kind: type[ActionError]) -> None:
    error = kind(
        f"it said {SECRET}",
        response_body=f'{{"a": "{SECRET}"}}',
        partial=[filled(PartialResource)],
    )
    vars(error)["of_tomorrow"] = {"url": f"https://h/?key={SECRET}"}
    told = application_error(disclosure().mask_error(error))
    assert SECRET not in f"{vars(error)} {error} {error.args} {told.message} {told.details}"
    assert "********" in told.message


@pytest.mark.parametrize("name", sorted(load_all()))
def test_what_each_type_says_about_cleaning_up_is_mask(name: str) -> None:
    result = ActionResult(
        outputs=dict.fromkeys(("branch", "url", "pullRequestUrl", "workspace", "key"), SECRET),
        external_reference=f"x-{SECRET}",
        url=f"https://h/{SECRET}",
    )
    masked = disclosure().mask_result(result)
    assert SECRET not in repr(masked)
    assert SECRET not in disclosure().mask_own_text(load_all()[name].cleanup(result))


def test_what_a_wait_needs_is_sealed_and_comes_back() -> None:
    state = {"url": f"https://h/status?key={SECRET}", "since": "2026-01-01", "n": 4}
    masked = disclosure().mask_result(ActionResult(pending=Pending("follow", state)))
    assert masked.pending is not None
    kept = masked.pending.state
    assert kept["url"].startswith(SEALED_PREFIX)
    assert (kept["since"], kept["n"]) == ("2026-01-01", 4)
    assert disclosure().unseal(kept) == state


def test_a_sealed_wait_opens_for_its_own_action_only() -> None:
    kept = disclosure().seal({"url": SECRET})
    other = replace(disclosure(), place=sealing_context("r", "b"))
    with pytest.raises(ActionFailedError):
        other.unseal(kept)


def test_the_rules_of_an_approval_are_masked_because_people_read_them() -> None:
    pending = Pending("approval", {"message": f"may {SECRET}?", "users": [SECRET], "minimum": 1})
    masked = disclosure().mask_result(ActionResult(pending=pending)).pending
    assert masked == Pending(
        "approval", {"message": "may ********?", "users": ["********"], "minimum": 1}
    )


def test_what_travels_with_a_heartbeat_is_sealed_and_comes_back() -> None:
    first = ActionProgress()
    first.guard(disclosure().seal, disclosure().unseal)
    first.save({"url": f"https://h/?key={SECRET}", "since": 4.0})
    assert SECRET not in repr(first.details)
    later = ActionProgress(first.details)
    later.guard(disclosure().seal, disclosure().unseal)
    assert later.saved == {"url": f"https://h/?key={SECRET}", "since": 4.0}


async def test_lines_of_the_log_and_their_data_are_masked_before_they_are_cut() -> None:
    class Sink:
        lines: list[LogLine] = []  # noqa: RUF012 -- one test, one sink

        async def write(self, line: LogLine) -> None:
            self.lines.append(line)

        async def flush(self) -> None:
            """Nothing waits."""

    said = ActionLog(Sink(), SecretMasks([SECRET]))
    await said.info("x" * (2000 - len(SECRET) + 1) + SECRET, {SECRET: [SECRET], "pin": 4711})
    await said.warning(f"it is {SECRET}")
    assert SECRET[:-1] not in repr(Sink.lines)


class _Config(ActionConfig):
    """What is told."""

    text: str


def test_the_context_of_an_action_shows_no_secret() -> None:
    assert "secrets" in {one.name for one in fields(ActionContext)}
    assert SECRET not in repr(SecretMasks([SECRET]))
