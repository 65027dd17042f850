"""Connecting to Temporal, and how payloads are read and written there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client, TLSConfig
from temporalio.common import RawValue
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)
from temporalio.service import GrpcCompression

from pao.clients.installation import ClientGuard, GetInstallation
from pao.clients.payload_json import DataclassJsonConverter
from pao.core.errors import ErrorCode, PaoError
from pao.runtime import tracing
from pao.runtime.networks import read_address


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalTarget:
    """Where Temporal is and how it is reached."""

    address: str
    namespace: str = "default"
    task_queue: str = "pao"
    api_key: str | None = field(default=None, repr=False)
    tls: TLSConfig | bool = False


class ForgivingConverter(DefaultPayloadConverter):
    """Reads what Temporal's own converter reads, and returns unreadable payloads unchanged.

    Only if no type is given, as for the inputs of signals, which people send. The SDK would drop a
    signal that cannot be read; this way the workflow records it as rejected.
    """

    def __init__(self) -> None:
        converters = DefaultPayloadConverter.default_encoding_payload_converters
        CompositePayloadConverter.__init__(
            self,
            *(
                DataclassJsonConverter() if isinstance(one, JSONPlainPayloadConverter) else one
                for one in converters
            ),
        )

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """Return one value per payload; without a type, an unreadable one is a ``RawValue``."""
        if type_hints:
            return super().from_payloads(payloads, type_hints)
        return [self._read(payload) for payload in payloads]

    def _read(self, payload: Payload) -> Any:
        try:
            [value] = super().from_payloads([payload])
        except Exception:  # noqa: BLE001 -- the converters raise their libraries' own types
            return RawValue(payload)
        return value


CONVERTER = DataConverter(payload_converter_class=ForgivingConverter)
"""PAO's converter of payloads; like Temporal's own, the same in every context."""


async def connect(
    target: TemporalTarget,
    *,
    lazy: bool = False,
    installation: GetInstallation | None = None,
) -> Client:
    """Connect to Temporal; with ``lazy`` the first call connects, so that a start never waits.

    Workflows are marked with the ``installation``; those of others are refused.

    Raises ``PaoError`` ``SERVICE_UNAVAILABLE`` when Temporal does not answer.
    """
    try:
        return await Client.connect(
            target.address,
            namespace=target.namespace,
            api_key=target.api_key,
            tls=target.tls,
            lazy=lazy,
            data_converter=CONVERTER,
            interceptors=[
                *tracing.interceptors(),
                *([ClientGuard(installation)] if installation else []),
            ],
            # On loopback compression only costs processor time.
            grpc_compression=GrpcCompression.NONE if _loopback(target) else GrpcCompression.GZIP,
        )
    except RuntimeError as error:
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"Temporal at {target.address} does not answer. Start it, or set TEMPORAL_ADDRESS.",
        ) from error


def _loopback(target: TemporalTarget) -> bool:
    host = target.address.rpartition(":")[0].strip("[]")
    try:
        return read_address(host).is_loopback
    except ValueError:
        return host == "localhost"
