"""Payloads as JSON, fast for dataclasses.

The SDK converts nested dataclasses in Python, in both directions; this was a tenth of the
processor time that a worker needs for a request. msgspec writes the same JSON (keys sorted; text
as UTF-8 instead of escapes) and reads it into the same values. What it does not know, and what it
refuses although the SDK reads it (a lone surrogate, ``NaN``), is left to the SDK.
"""

from dataclasses import is_dataclass
from functools import cache
from typing import Any

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.converter import JSONPlainPayloadConverter

_ENCODER = msgspec.json.Encoder(order="sorted")


class DataclassJsonConverter(JSONPlainPayloadConverter):
    """Converts ``json/plain`` payloads as the SDK does, so that either reads what the other wrote.

    ``NaN`` and infinity are written as null: neither is JSON, and Postgres would refuse them.
    """

    def to_payload(self, value: Any) -> Payload | None:
        """Return the payload; raises what the SDK raises for what cannot be written."""
        if not is_dataclass(value):
            return super().to_payload(value)
        try:
            data = _ENCODER.encode(value)
        except (TypeError, ValueError, msgspec.MsgspecError):
            return super().to_payload(value)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Return the value; raises what the SDK raises for what cannot be read."""
        decoder = _decoder(type_hint) if is_dataclass(type_hint) else None
        if decoder is None:
            return super().from_payload(payload, type_hint)
        try:
            return decoder.decode(payload.data)
        except (ValueError, msgspec.MsgspecError):
            return super().from_payload(payload, type_hint)


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any] | None":
    try:
        return msgspec.json.Decoder(kind)
    except TypeError:
        return None
