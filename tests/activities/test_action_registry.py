"""What every action type must offer, derived from the registry."""

import pytest
from pydantic import ValidationError

from activities.registry import ACTIONS, RegisteredAction, load_all

REGISTERED = [pytest.param(one, id=one.type) for one in ACTIONS]


def test_types_are_named_once() -> None:
    assert len({one.type for one in ACTIONS}) == len(ACTIONS) == len(load_all())


@pytest.mark.parametrize("registered", REGISTERED)
def test_an_action_type_has_its_registered_name_and_says_what_it_does(
    registered: RegisteredAction,
) -> None:
    action = registered.load()
    assert action.type == registered.type
    assert action.summary.endswith(".")
    assert action.resource_type


@pytest.mark.parametrize("registered", REGISTERED)
def test_an_action_type_has_two_examples_that_hold(registered: RegisteredAction) -> None:
    action = registered.load()
    assert len(action.examples) >= 2
    for example in action.examples:
        action.config.model_validate(example)


@pytest.mark.parametrize("registered", REGISTERED)
def test_an_unknown_key_is_refused(registered: RegisteredAction) -> None:
    action = registered.load()
    with pytest.raises(ValidationError, match="nonsense"):
        action.config.model_validate({**action.examples[0], "nonsense": 1})
