"""How an outgoing call can end without an answer."""


class OutgoingError(Exception):
    """Base of all: a sentence for people, without credentials or the address's query."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressRefused(OutgoingError):  # noqa: N818 -- it says what happened
    """The operator's rules do not let actions go there; nothing was sent, no repetition helps."""


class CallInvalid(OutgoingError):  # noqa: N818 -- as above
    """What we refuse to send, as URLs or HTTP forbid it; it says nothing about the target."""


class CallLate(OutgoingError):  # noqa: N818 -- as above
    """Our own time was over before a connection was tried; it says nothing about the target."""


class CallUnsent(OutgoingError):  # noqa: N818 -- as above
    """No connection came about, so the request was never sent."""


class CallBroken(OutgoingError):  # noqa: N818 -- as above
    """The request, or part of it, was sent, and no whole answer came back."""
