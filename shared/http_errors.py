"""What an error of the HTTP libraries means, said without the URL and the headers it may hold."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ReadTimeoutError

from shared.errors import CollectError, FixConfiguration, RetrySoon

__all__ = ["place", "problem_of"]


def place(url: str) -> str:
    """Name a URL by host and path, without its parameters."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def problem_of(error: Exception, url: str) -> CollectError:
    """Say what a library's error means, without the URL and the headers that it may hold."""
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return RetrySoon(f"{place(url)} did not answer in time", next_step="nothing: it is asked again")
    if isinstance(error, ValueError) and not isinstance(error, requests.ConnectionError):
        # A key with a line end, a URL with an impossible host: the texts of these hold the value.
        return FixConfiguration(
            f"the request to {place(url)} cannot be sent ({type(error).__name__})",
            next_step="store the key again, without spaces or line ends; check TORN_API_URL",
        )
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__  # type: ignore[assignment]
    return RetrySoon(
        f"{place(url)} cannot be reached or broke off: {type(inner).__name__}: {inner}"[:300],
        next_step="check the network if this lasts; it is asked again",
    )
