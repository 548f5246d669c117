"""URLs: parameters set, and links held to the host that they were sent by. Knows no API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urljoin, urlsplit

from shared.errors import BrokenContract
from shared.names import written

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["stay_on", "with_params"]

_PORTS = {"http": 80, "https": 443}


def stay_on(base_url: str, link: str) -> str:
    """Return the whole URL of a path or link, if it stays on the base's scheme, host and port.

    Raises:
        BrokenContract: the link leads elsewhere; following it would hand over the key.
    """
    is_path = link.startswith("/") and not link.startswith("//")
    try:
        parts = urlsplit(base_url + link if is_path else urljoin(base_url + "/", link))
        stays = _origin(parts) == _origin(urlsplit(base_url)) and "\\" not in link
    except ValueError:
        parts, stays = SplitResult("", "", "", "", ""), False
    if not stays or not {".", ".."}.isdisjoint(unquote(parts.path).split("/")):
        raise BrokenContract(
            f"a link leads to {parts.scheme}://{parts.hostname}{parts.path[:100]}, not to the configured "
            f"{urlsplit(base_url).hostname}; it was not followed",
            next_step="check TORN_API_URL; if it is right, the API sent a foreign link: report it",
        )
    return parts.geturl()


def with_params(url: str, params: Mapping[str, object]) -> str:
    """Return the URL with these query parameters set, replacing those of the same name."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in params]
    return parts._replace(query=urlencode(kept + [(k, written(v)) for k, v in params.items()])).geturl()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None, bool]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), "@" in parts.netloc
