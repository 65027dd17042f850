"""HTTP to addresses that others have chosen: judged, bounded, never repeated."""

from pao.clients.outgoing.client import Call, HttpClient, Reply, host_of, redirected_url
from pao.clients.outgoing.errors import (
    AddressRefused,
    CallBroken,
    CallInvalid,
    CallLate,
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
    "CallInvalid",
    "CallLate",
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
    "redirected_url",
]
