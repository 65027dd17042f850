"""URLs that may carry a password, read without repeating it, and their ports."""

from urllib.parse import SplitResult, urlsplit

from pao.core.answers import whole_number

MAX_PORT = 65535


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL; raises ``ValueError``, which never repeats the URL."""
    try:
        return urlsplit(url)
    except ValueError:
        # The library's message would repeat what precedes the host, such as a password.
        raise ValueError("it cannot be read as an address; correct it") from None


def read_port(text: str) -> int:
    """Return the number of a port; raises ``ValueError`` for anything else."""
    port = whole_number(text)
    if port is None or not 0 < port <= MAX_PORT:
        raise ValueError(f"a port is a number from 1 to {MAX_PORT}; correct it")
    return port
