"""API keys: from Secret Manager in the cloud, from the environment on a laptop.

A key is never shown: not in a repr, a log, a URL or an exception.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from shared.errors import FixConfiguration, StopKey
from shared.secret_manager import SecretManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.settings import Settings

__all__ = ["EnvironmentKeys", "KeyRing", "KeySource", "SecretManagerKeys", "open_keys", "variable"]


class KeySource(Protocol):
    """Where keys are read from."""

    def read(self, name: str) -> str:
        """Return the key of this name, or raise StopKey, FixConfiguration or RetrySoon."""


class EnvironmentKeys:
    """Keys from environment variables: ``torn-api-key`` is TORN_API_KEY."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        # A function shows nothing of the environment that it looks into.
        self._look_up: Callable[[str], str] = lambda place: environ.get(place, "")

    def read(self, name: str) -> str:
        """Return the key that the variable holds.

        Raises:
            StopKey: the variable is not set.
        """
        key = self._look_up(variable(name))
        if not key.strip():
            raise StopKey(
                f"no API key: {variable(name)} is not set",
                next_step=f"set {variable(name)} to your key from Torn's settings page, "
                "or use a simulated faction: `tcdatalogger simulate`",
            )
        return _clean(key, variable(name))


class SecretManagerKeys:
    """Keys from Secret Manager, each the latest version of a secret.

    ``prefix`` is ``projects/P/secrets/``, and then what all of the secrets' names begin with, if
    anything.
    """

    def __init__(
        self,
        prefix: str,
        *,
        client: Any = None,
        timeout: float = 10.0,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._prefix = f"{prefix}/" if prefix.endswith("/secrets") else prefix
        self._secrets = SecretManager(client=client, timeout=timeout, environ=environ)

    def read(self, name: str) -> str:
        """Return the key that the secret's latest version holds.

        Raises:
            StopKey: the secret is absent, disabled or destroyed, or may not be read.
            FixConfiguration: the secret's name is impossible, or it holds no key.
            RetrySoon: Secret Manager did not answer in time, or its answer was damaged.
        """
        secret = f"{self._prefix}{name}"
        return _clean(self._secrets.latest(secret), secret)


class _Hidden:
    """A key that no repr shows."""

    __slots__ = ("key", "until")

    def __init__(self, key: str, until: float = 0.0) -> None:
        self.key = key
        self.until = until


class KeyRing:
    """Keys, cached for minutes, so that a rotated key is taken up without a redeploy.

    Threads may share it: one reads, the others wait for what it found.
    """

    def __init__(
        self, source: KeySource, *, ttl: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.Lock()
        self._cached: dict[str, _Hidden] = {}
        self._dead: dict[str, tuple[_Hidden, str, str, int | None]] = {}

    def get(self, name: str) -> str:
        """Return a key that the API has not refused.

        Raises:
            StopKey: absent, or the very key that the API refused: asking on with a dead key
                can get the address banned.
        """
        with self._lock:
            cached = self._cached.get(name)
            if cached is not None and self._clock() < cached.until:
                return cached.key
            key = self._source.read(name)
            if name in self._dead:
                dead, message, next_step, code = self._dead[name]
                if dead.key == key:
                    # Not cached, so that the key which replaces it is taken up at once.
                    raise StopKey(message, next_step=next_step, code=code)
                del self._dead[name]
            self._cached[name] = _Hidden(key, self._clock() + self._ttl)
            return key

    def refused(self, name: str, key: str, error: StopKey) -> bool:
        """Note that the API refused a key; say whether another one has replaced it since."""
        with self._lock:
            self._dead[name] = (_Hidden(key), error.message, error.next_step, error.code)
            self._cached.pop(name, None)
            return self._source.read(name) != key


def open_keys(settings: Settings) -> KeyRing:
    """Return the key ring that the settings ask for."""
    if settings.key_secret_prefix:
        return KeyRing(SecretManagerKeys(settings.key_secret_prefix))
    return KeyRing(EnvironmentKeys(), ttl=0.0)


def variable(name: str) -> str:
    """Return the environment variable of a key's name: ``torn-api-key`` → TORN_API_KEY."""
    return name.upper().replace("-", "_")


def _clean(key: str, place: str) -> str:
    """Return a key without the line end that ``echo key | gcloud …`` leaves.

    Raises:
        FixConfiguration: it is no key; what it is instead is not said, for it may be one in part.
    """
    key = key.strip()
    if not key.isascii() or not key.isalnum():
        raise FixConfiguration(
            f"what {place} holds is no API key: a key is letters and digits",
            next_step="store the key again, without quotes, spaces or line ends",
        )
    return key
