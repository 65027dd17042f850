"""The single exit of an activity: everything that leaves it is masked or sealed here.

Results, errors, log lines and heartbeat details: Temporal keeps them in clear text, and people read
them. What a later execution needs unchanged, such as a status address with our key in it, is sealed
instead.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from activities.action_errors import ActionError, ActionFailedError
from pao.core.answers import KEPT_CHARACTERS
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretBox, SecretUnreadableError
from pao.runtime.masking import SecretMasks

UNMASKED_FIELDS = frozenset(
    {
        ("ActionResult", "resource_type"),
        ("ActionFailure", "code"),
        ("LookResult", "answer"),
        ("Pending", "kind"),
    }
)
"""Fields with fixed words, which the workflow acts on; no value of a request is in them."""

MESSAGE_FIELDS = frozenset({"message", "response_body", "cleanup", "reason", "note", "problem"})
"""Texts for people. All others are values, in which short secrets match whole words only."""

FOLLOWED = "follow"
AnswerT = TypeVar("AnswerT")
_UNMASKED_ATTRIBUTES = frozenset({"code", "http_status", "retryable", "refused", "judged"})
# Texts are masked first and truncated later: the margin is for what masking shortens.
_LONGEST = KEPT_CHARACTERS + 4096


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Masks with the secrets of one execution; ``place`` is what sealed values are bound to."""

    secrets: SecretMasks
    box: SecretBox
    place: str

    def mask_result(self, result: ActionResult) -> ActionResult:
        """Return a result without secrets."""
        masked: ActionResult = self._mask(result)
        return masked

    def mask_answer(self, answer: AnswerT) -> AnswerT:
        """Return an answer without secrets."""
        masked: AnswerT = self._mask(answer)
        return masked

    def mask_error(self, error: ActionError) -> ActionError:
        """Mask all attributes of an error; returns the same error."""
        for name, value in list(vars(error).items()):
            if name not in _UNMASKED_ATTRIBUTES:
                setattr(error, name, self._mask(_truncate(value), name))
        error.args = (error.message,)
        return error

    def mask_message(self, text: str) -> str:
        """Return a text for people without secrets."""
        return self.secrets.hide(text)

    def mask_own_text(self, text: str) -> str:
        """Return a text that PAO composed, which nobody has cut, without secrets."""
        return self.secrets.hide(text, whole=True)

    def seal(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values that a later execution gets back; texts that hold a secret are sealed."""
        return {name: self._seal_value(value) for name, value in values.items()}

    def unseal(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was given to ``seal``; raises ActionFailedError for other values."""
        return {name: self._unseal_value(value) for name, value in values.items()}

    def restore_pending(self, pending: Pending) -> Pending:
        """Return a wait's state as it was in the activity that began the wait."""
        if pending.kind != FOLLOWED:
            return pending
        return Pending(pending.kind, self.unseal(pending.state))

    def _mask(self, value: Any, name: str = "") -> Any:
        """Return a copy in which every text is masked, dataclasses field by field."""
        if value is None or isinstance(value, Enum | bool):
            return value
        if isinstance(value, Pending) and value.kind == FOLLOWED:
            return replace(value, state=self.seal(value.state))
        if is_dataclass(value) and not isinstance(value, type):
            kind = type(value).__name__
            changed = {
                one.name: self._mask(getattr(value, one.name), one.name)
                for one in fields(value)
                if (kind, one.name) not in UNMASKED_FIELDS
            }
            return replace(value, **changed)
        return self._mask_value(value, name)

    def _mask_value(self, value: Any, name: str) -> Any:
        if self.box.is_sealed(value):
            return value
        if isinstance(value, tuple):
            return tuple(self._mask(one, name) for one in value)
        if isinstance(value, list) and any(map(is_dataclass, value)):
            return [self._mask(one, name) for one in value]
        if isinstance(value, str) and name in MESSAGE_FIELDS:
            return self.secrets.hide(value)
        return self.secrets.hide_in(value)

    def _seal_value(self, value: Any) -> Any:
        if self.secrets.hide_in(value) == value and not self.box.is_sealed(value):
            return value
        return self.box.seal(json.dumps(value), context=self.place)

    def _unseal_value(self, value: Any) -> Any:
        if not self.box.is_sealed(value):
            return value
        try:
            return json.loads(self.box.open(value, context=self.place))
        except SecretUnreadableError as error:
            raise ActionFailedError(str(error), retryable=True) from error


def _truncate(value: Any) -> Any:
    """Return a text that is only a little longer than what is stored, so that masking is fast."""
    if not isinstance(value, str) or len(value) <= _LONGEST:
        return value
    return f"{value[:_LONGEST]}\N{HORIZONTAL ELLIPSIS}"


def sealing_context(request_id: str, action_id: str) -> str:
    """Return what the sealed values of one action are bound to."""
    return f"request:{request_id}:action:{action_id}:wait"
