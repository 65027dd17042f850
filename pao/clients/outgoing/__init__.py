"""HTTP to addresses that others have chosen: judged, bounded, never repeated."""

from pao.clients.outgoing.client import Call, HttpClient, Reply, host_of
from pao.clients.outgoing.errors import (
    AddressRefused,
    CallBroken,
    CallUnsent,
    OutgoingError,
)
from pao.clients.outgoing.resolving import Resolved, Resolver, SystemResolver
from pao.clients.outgoing.rules import EgressRules, RuleError
from pao.clients.outgoing.wire import WireOptions

__all__ = [
    "AddressRefused",
    "Call",
    "CallBroken",
    "CallUnsent",
    "EgressRules",
    "HttpClient",
    "OutgoingError",
    "Reply",
    "Resolved",
    "Resolver",
    "RuleError",
    "SystemResolver",
    "WireOptions",
    "host_of",
]
