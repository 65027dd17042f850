"""HTTP calls to addresses from documents: checked, bounded, never repeated."""

from pao.clients.outgoing.client import (
    HEADER_NAME,
    NOT_IN_HEADER,
    HttpClient,
    OutgoingCall,
    OutgoingResponse,
    host_of,
    read_url,
    redirected_url,
)
from pao.clients.outgoing.outgoing_errors import (
    AddressRefusedError,
    CallBrokenError,
    CallInvalidError,
    CallTimeoutError,
    CallUnsentError,
    OutgoingError,
)
from pao.clients.outgoing.resolver import HostResolver, Resolved, SystemResolver
from pao.clients.outgoing.rules import EgressRules, RuleError
from pao.clients.outgoing.wire import ConnectionOptions

__all__ = [
    "HEADER_NAME",
    "NOT_IN_HEADER",
    "AddressRefusedError",
    "CallBrokenError",
    "CallInvalidError",
    "CallTimeoutError",
    "CallUnsentError",
    "ConnectionOptions",
    "EgressRules",
    "HostResolver",
    "HttpClient",
    "OutgoingCall",
    "OutgoingError",
    "OutgoingResponse",
    "Resolved",
    "RuleError",
    "SystemResolver",
    "host_of",
    "read_url",
    "redirected_url",
]
