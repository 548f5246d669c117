"""Channels without encryption and credentials: to this machine and no other."""

from __future__ import annotations

import ipaddress
from typing import Any

from shared.errors import FixConfiguration

__all__ = ["plain_channel"]


def plain_channel(host: str, *, variable: str, why: str) -> Any:
    """Return a gRPC channel to ``HOST:PORT`` on this machine.

    Raises:
        FixConfiguration: the host is another machine; ``variable`` named it, ``why`` says what is wrong then.
    """
    name = host.rpartition(":")[0].strip("[]")
    if name != "localhost" and not _is_loopback(name):
        raise FixConfiguration(
            f"{variable} is {host!r}: {why}",
            next_step="unset it, or give HOST:PORT on this machine, such as 127.0.0.1:8090",
        )
    import grpc  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415

    return grpc.insecure_channel(host, options=[("grpc.enable_http_proxy", 0)])


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
