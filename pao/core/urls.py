"""URLs that may carry a password, read without repeating it."""

from urllib.parse import SplitResult, urlsplit


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL; raises ``ValueError``, which never repeats the URL."""
    try:
        return urlsplit(url)
    except ValueError:
        # The library's own words repeat what stands before the host: a password as well.
        raise ValueError("it cannot be read as an address; correct it") from None
