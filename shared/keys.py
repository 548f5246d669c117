"""API keys: from Secret Manager in the cloud, from the environment on a laptop.

A key is never shown: not in a repr, a log, a URL or an exception.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol

from shared.errors import FixConfiguration, RetrySoon, StopKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.settings import Settings

__all__ = ["EnvironmentKeys", "KeyRing", "SecretManagerKeys", "open_keys", "variable"]


class KeySource(Protocol):
    """Where keys are read from."""

    def read(self, name: str) -> str:
        """Return the key of this name, or raise StopKey, FixConfiguration or RetrySoon."""


class EnvironmentKeys:
    """Keys from environment variables: ``torn-api-key`` is TORN_API_KEY."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def read(self, name: str) -> str:
        """Return the key that the variable holds.

        Raises:
            StopKey: the variable is not set.
        """
        key = self._environ.get(variable(name), "")
        if not key.strip():
            raise StopKey(
                f"no API key: {variable(name)} is not set",
                next_step=f"set {variable(name)} to your key from Torn's settings page, "
                "or use a simulated faction: `tcdatalogger simulate`",
            )
        return _clean(key, variable(name))


class SecretManagerKeys:
    """Keys from the latest enabled version of a secret in Google Secret Manager."""

    def __init__(self, prefix: str, *, client: Any = None, timeout: float = 10.0) -> None:
        self._prefix = prefix.rstrip("/") + "/"
        self._client = client
        self._timeout = timeout

    def read(self, name: str) -> str:
        """Return the key that the secret's latest version holds.

        Raises:
            StopKey: the secret is absent, disabled or destroyed, or may not be read.
            RetrySoon: Secret Manager did not answer in time.
        """
        # 200 ms of imports, paid only where keys come from Secret Manager.
        from google.api_core import exceptions, retry  # noqa: PLC0415

        resource = f"{self._prefix}{name}/versions/latest"
        again = retry.Retry(
            predicate=retry.if_exception_type(
                exceptions.ServiceUnavailable, exceptions.ResourceExhausted
            ),
            initial=0.2, maximum=2.0, timeout=self._timeout,
        )
        try:
            answer = self._open().access_secret_version(
                name=resource, retry=again, timeout=self._timeout
            )
        except exceptions.NotFound as error:
            raise StopKey(
                f"the secret {resource} does not exist or has no version",
                next_step=f"gcloud secrets versions add {name} --data-file=-",
            ) from error
        except exceptions.PermissionDenied as error:
            raise StopKey(
                f"this function may not read {resource}",
                next_step="grant its service account roles/secretmanager.secretAccessor on the secret",
            ) from error
        except exceptions.FailedPrecondition as error:
            raise StopKey(
                f"the latest version of {self._prefix}{name} is disabled or destroyed",
                next_step=f"gcloud secrets versions add {name} --data-file=-",
            ) from error
        except (exceptions.RetryError, exceptions.GoogleAPICallError) as error:
            raise RetrySoon(
                f"Secret Manager did not give {resource}: {type(error).__name__}",
                next_step="nothing: the message is delivered again",
            ) from error
        try:
            key = answer.payload.data.decode("ascii")
        except UnicodeDecodeError:
            raise _malformed(resource) from None
        return _clean(key, resource)

    def _open(self) -> Any:
        if self._client is None:
            from google.cloud.secretmanager import SecretManagerServiceClient  # noqa: PLC0415

            self._client = SecretManagerServiceClient()
        return self._client


class KeyRing:
    """Keys, cached for minutes, so that a rotated key is taken up without a redeploy."""

    def __init__(
        self, source: KeySource, *, ttl: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._ttl = ttl
        self._clock = clock
        self._cached: dict[str, tuple[float, str]] = {}
        self._dead: dict[str, tuple[str, StopKey]] = {}

    def get(self, name: str) -> str:
        """Return a key that the API has not refused.

        Raises:
            StopKey: absent, or the very key that the API refused: asking on with a dead key
                can get the address banned.
        """
        until, key = self._cached.get(name, (0.0, ""))
        if self._clock() >= until:
            key = self._source.read(name)
            self._cached[name] = (self._clock() + self._ttl, key)
        dead = self._dead.get(name)
        if dead and dead[0] == key:
            raise dead[1]
        return key

    def refused(self, name: str, key: str, error: StopKey) -> bool:
        """Note that the API refused a key; say whether another one has replaced it since."""
        self._dead[name] = (key, error)
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
    # A line end at the end is what `echo key | gcloud secrets versions add` leaves.
    key = key.strip()
    if not key.isascii() or not key.isalnum():
        raise _malformed(place)
    return key


def _malformed(place: str) -> FixConfiguration:
    return FixConfiguration(
        f"what {place} holds is no API key: a key is letters and digits",
        next_step="store the key again, without quotes, spaces or line ends",
    )
