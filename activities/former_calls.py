"""What an attempt sent, stored for later looks: sealed, without the operator's secrets.

Templates render the same texts on every attempt, so texts with ``secrets.<name>`` are omitted and
rendered again when needed: the operator's secrets never enter history, and a look uses the newest
token.
"""

import json
from collections.abc import Mapping
from typing import Any

from pao.core.payloads.actions import ActionInput, FormerCall
from pao.runtime.crypto import SecretBox, SecretUnreadableError

LARGEST = 32 * 1024
_OMITTED = {"$secret": True}


class FormerCalls:
    """Seals and opens the calls of one action."""

    def __init__(self, box: SecretBox, action_input: ActionInput) -> None:
        self._box = box
        self._template = action_input.action.config
        self._place = (
            f"request:{action_input.context.request_id}:action:{action_input.action.id}:call"
        )

    def seal(self, fields: Mapping[str, Any], rendered: Mapping[str, Any]) -> str | None:
        """Return the call as one token; None if it is too large to store."""
        text = self._text(fields, rendered)
        return self._box.seal(text, context=self._place) if len(text) <= LARGEST else None

    def digest(self, fields: Mapping[str, Any], rendered: Mapping[str, Any]) -> str:
        """Return a keyed digest of the call; equal calls have the same."""
        text = f"{self._place}\n{self._text(fields, rendered)}"
        return self._box.fingerprint(text.encode(errors="surrogatepass"))

    def _text(self, fields: Mapping[str, Any], rendered: Mapping[str, Any]) -> str:
        kept = {"fields": fields, "config": without_secrets(self._template, rendered)}
        return json.dumps(kept, sort_keys=True)

    def unseal(self, call: FormerCall) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the fields of a call, and its configuration if that was stored.

        Raises ``SecretUnreadableError`` for the token of another action or a lost key.
        """
        if call.sealed is None:
            return call.fields or {}, None
        kept = json.loads(self._box.open(call.sealed, context=self._place))
        if not isinstance(kept, dict):
            raise SecretUnreadableError("what an earlier attempt sent cannot be read")
        return kept["fields"], kept["config"]


def without_secrets(template: Any, rendered: Any) -> Any:
    """Return a rendered configuration without texts whose templates use an operator's secret."""
    if isinstance(template, str):
        return _OMITTED if "secrets" in template else rendered
    if isinstance(template, Mapping) and isinstance(rendered, Mapping):
        return {key: without_secrets(template.get(key), value) for key, value in rendered.items()}
    if isinstance(template, list | tuple) and isinstance(rendered, list | tuple):
        return [without_secrets(*pair) for pair in zip(template, rendered, strict=False)]
    return rendered


def with_secrets(kept: Any, rendered: Any) -> Any:
    """Return a stored configuration, with the omitted texts as they are rendered now."""
    if kept == _OMITTED:
        return rendered
    if isinstance(kept, dict) and isinstance(rendered, Mapping):
        return {key: with_secrets(value, rendered.get(key)) for key, value in kept.items()}
    if isinstance(kept, list) and isinstance(rendered, list | tuple) and len(kept) == len(rendered):
        return [with_secrets(*pair) for pair in zip(kept, rendered, strict=True)]
    return kept
