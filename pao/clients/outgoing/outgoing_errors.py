"""How an outgoing call can end without an answer."""


class OutgoingError(Exception):
    """Base class; the message is for people, without credentials or the URL's query."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressRefusedError(OutgoingError):
    """The operator's rules do not allow the address; nothing was sent, repeating cannot help."""


class CallInvalidError(OutgoingError):
    """The URL or request is invalid, so nothing was sent; it says nothing about the target."""


class CallTimeoutError(OutgoingError):
    """Time ran out before a connection was attempted; it says nothing about the target."""


class CallUnsentError(OutgoingError):
    """No connection was established, so the request was never sent."""


class CallBrokenError(OutgoingError):
    """The request, or part of it, was sent, and no complete answer came back."""
