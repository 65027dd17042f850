"""Why a signature is not accepted."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a request is not authenticated, as its caller sees it."""

    MISSING = "missing"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    SIGNATURE_MISMATCH = "signature mismatch"


class SignatureError(Exception):
    """A request that cannot be authenticated: the reason class, and a sentence on what to do.

    Never holds the expected signature, the string to sign or a secret.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def malformed(message: str) -> SignatureError:
    """Return the error of a request whose signature cannot be read."""
    return SignatureError(Reason.MALFORMED, message)
