"""How any action is executed: secrets opened and hidden, templates rendered, looks done first."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, field_validator
from temporalio.exceptions import ApplicationError

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.base import Action, ActionConfig, ActionContext
from activities.execution import Executor
from activities.session_factory import Tools
from catalog.scopes import ScopeContext
from pao.clients.jira.instances import JiraInstances
from pao.core.names import mark
from pao.core.payloads.actions import ActionInput, ActionResult
from pao.runtime.crypto import SecretBox, generate_key
from tests.support.requests import Request, item, new_request, ticket

PASSWORD = 'p4ss"word\\/<x>'


class EchoConfig(ActionConfig):
    """What the action is told."""

    text: str


class Nothing(BaseModel):
    """It has no outputs."""


Act = Callable[[EchoConfig, ActionContext], ActionResult]


class Scripted(Action[EchoConfig]):
    """Does what the test says."""

    type = "scripted"
    summary = "Does what a test says."
    resource_type = "thing"
    config = EchoConfig
    outputs = Nothing
    examples: ClassVar[tuple[dict[str, Any], ...]] = ()

    def __init__(self, act: Act, *, found: ActionResult | None = None) -> None:
        self._act = act
        self._found = found
        self.done: list[str] = []

    async def look(self, config: EchoConfig, context: ActionContext) -> ActionResult | None:
        self.done.append(f"look {context.mark}")
        if config.text == "no look":
            raise ActionFailedError("the look failed")
        return self._found

    async def execute(self, config: EchoConfig, context: ActionContext) -> ActionResult:
        self.done.append(f"act {context.mark}")
        self.told = config.text
        return self._act(config, context)

    def cleanup(self, result: ActionResult) -> str:
        return f"Remove {result.external_reference}."


def succeed(config: EchoConfig, _context: ActionContext) -> ActionResult:
    return ActionResult(outputs={"said": config.text}, external_reference="T-1")


def raising(error: Exception) -> Act:
    def act(_config: EchoConfig, _context: ActionContext) -> ActionResult:
        raise error

    return act


BOX = SecretBox(f"k1:{generate_key()}")


def executor(action: Scripted) -> Executor:
    tools = Tools(box=BOX, jira=JiraInstances([]), scope_context=ScopeContext())
    return Executor({action.type: action}, tools)


def request(text: str = "{{fields.title}}", *, cleanup: str | None = None) -> Request:
    document = item([ticket(cleanup=cleanup) if cleanup else ticket()])
    made = new_request(definition=document, box=BOX, token=PASSWORD, title="hello")
    made.plan[0].type = "scripted"
    made.plan[0].config = {"text": text}
    return made


def given(of: Request, **more: Any) -> ActionInput:
    return ActionInput(context=of.context, action=of.plan[0], **more)


async def failure_of(act: Act, text: str = "{{fields.title}}", **more: Any) -> ApplicationError:
    action = Scripted(act)
    with pytest.raises(ApplicationError) as caught:
        await executor(action).execute(action, given(request(text), **more))
    assert caught.value.non_retryable
    assert caught.value.__cause__ is None, "a cause goes into history as well"
    return caught.value


async def test_the_first_attempt_acts_without_a_look() -> None:
    action, one = Scripted(succeed), request()
    result = await executor(action).execute(action, given(one))
    assert action.done == [f"act {mark(one.id, 'ticket')}"]
    assert (result.outputs, result.adopted) == ({"said": "hello"}, False)
    assert (result.resource_type, result.cleanup) == ("thing", "Remove T-1.")


async def test_a_later_attempt_looks_first_and_adopts_what_it_finds() -> None:
    action = Scripted(succeed, found=ActionResult(external_reference="T-0"))
    result = await executor(action).execute(action, given(request(), look_first=True))
    assert [done.partition(" ")[0] for done in action.done] == ["look"]
    assert (result.external_reference, result.adopted) == ("T-0", True)


async def test_a_later_attempt_acts_when_there_is_nothing_to_adopt() -> None:
    action = Scripted(succeed)
    result = await executor(action).execute(action, given(request(), look_first=True))
    assert [done.partition(" ")[0] for done in action.done] == ["look", "act"]
    assert not result.adopted


async def test_nothing_is_made_when_the_look_fails() -> None:
    action = Scripted(succeed)
    with pytest.raises(ApplicationError, match="the look failed"):
        await executor(action).execute(action, given(request("no look"), look_first=True))
    assert [done.partition(" ")[0] for done in action.done] == ["look"]


async def test_the_items_own_cleanup_text_is_rendered_with_the_new_outputs() -> None:
    action = Scripted(succeed)
    one = request(cleanup="Undo {{outputs.ticket.said}}.")
    result = await executor(action).execute(action, given(one))
    assert result.cleanup == "Undo hello."


async def test_a_password_reaches_the_action_and_nobody_else() -> None:
    action = Scripted(succeed)
    one = request("say {{fields.token}}")
    result = await executor(action).execute(action, given(one))
    assert action.told == f"say {PASSWORD}"
    assert result.outputs == {"said": "say ********"}
    assert PASSWORD not in repr(one.given)


@pytest.mark.parametrize(
    "error",
    [
        ActionFailedError(f"no {PASSWORD}", response_body=f'{{"you said": "{PASSWORD}"}}'),
        OutcomeUnknownError(f"cut {PASSWORD}", response_body=PASSWORD),
        ActionFailedError("no", response_body='{"you said": "p4ss\\"word\\\\\\/<x>"}'),
        ActionFailedError("no", response_body="<p>p4ss&quot;word\\/&lt;x&gt;</p>"),
        ActionFailedError("no", response_body="token=p4ss%22word%5C%2F%3Cx%3E&a=b"),
        ValueError(f"a bug with {PASSWORD}"),
        KeyError(PASSWORD),
    ],
)
async def test_no_error_tells_a_password_in_whatever_form(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    failure = await failure_of(raising(error))
    shown = f"{failure.message} {failure.details} {caplog.text}"
    assert "p4ss" not in shown
    assert "********" in shown


async def test_a_fault_of_our_own_while_acting_leaves_the_outcome_unknown_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = await failure_of(raising(ZeroDivisionError("by zero")))
    assert failure.type == "OutcomeUnknown"
    assert "because of an internal error: ZeroDivisionError: by zero" in failure.message
    assert "test_execution.py" in caplog.text


async def test_a_template_that_fails_is_a_failure_without_effect() -> None:
    failure = await failure_of(succeed, "{{outputs.nobody.key}}")
    assert failure.type == "ActionFailed"
    assert "template" in failure.message


async def test_a_rendered_configuration_that_is_wrong_is_told_without_its_values() -> None:
    action, one = Scripted(succeed), request()
    one.plan[0].config = {"text": {"secret": "{{fields.token}}"}}
    with pytest.raises(ApplicationError, match="configuration is invalid: text") as caught:
        await executor(action).execute(action, given(one))
    assert "p4ss" not in str(caught.value)


async def test_a_password_of_a_lost_key_is_a_failure_that_names_the_key() -> None:
    one = new_request(box=SecretBox(f"lost:{generate_key()}"), token=PASSWORD)
    one.plan[0].type = "scripted"
    action = Scripted(succeed)
    with pytest.raises(ApplicationError, match="'lost' is not in the key ring"):
        await executor(action).execute(action, given(one))
    assert action.done == []


@pytest.mark.parametrize(
    ("found", "answer"), [(ActionResult(external_reference="T-0"), "found"), (None, "absent")]
)
async def test_a_look_tells_what_a_retry_would_adopt_and_changes_nothing(
    found: ActionResult | None, answer: str
) -> None:
    action = Scripted(succeed, found=found)
    result = await executor(action).look(given(request()))
    assert result.answer == answer
    assert [done.partition(" ")[0] for done in action.done] == ["look"]


async def test_a_look_that_fails_is_unknown_and_says_why() -> None:
    result = await executor(Scripted(succeed)).look(given(request("no look")))
    assert (result.answer, result.reason) == ("unknown", "the look failed")


class Unforeseen(EchoConfig):
    """A model that breaks on what it is given."""

    @field_validator("text")
    @classmethod
    def _broken(cls, text: str) -> str:
        raise RuntimeError(text)


class Breaking(Scripted):
    """An action type with such a model."""

    config = Unforeseen


async def test_a_look_that_breaks_before_it_asks_is_unknown_and_tells_no_password() -> None:
    result = await executor(Breaking(succeed)).look(given(request("say {{fields.token}}")))
    assert result.answer == "unknown"
    assert "internal error: RuntimeError: say ********" in str(result.reason)
