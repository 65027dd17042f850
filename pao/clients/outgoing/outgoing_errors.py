"""How an outgoing call can end without an answer."""


class OutgoingError(Exception):
    """Base of all: a sentence for people, without credentials or the address's query."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressRefusedError(OutgoingError):
    """The operator's rules do not let actions go there; nothing was sent, no repetition helps."""


class CallInvalidError(OutgoingError):
    """What we refuse to send, as URLs or HTTP forbid it; it says nothing about the target."""


class CallTimeoutError(OutgoingError):
    """Our own time was over before a connection was tried; it says nothing about the target."""


class CallUnsentError(OutgoingError):
    """No connection came about, so the request was never sent."""


class CallBrokenError(OutgoingError):
    """The request, or part of it, was sent, and no whole answer came back."""
