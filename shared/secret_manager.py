"""Google Secret Manager: the latest version of a secret, or what is to be done to get one.

``SECRET_MANAGER_EMULATOR_HOST=127.0.0.1:8090`` leads to a server on this machine instead, without
credentials, as the emulator variables of Google's other clients do.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from shared.errors import FixConfiguration, RetrySoon, StopKey
from shared.loopback import plain_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["EMULATOR", "SecretManager"]

EMULATOR = "SECRET_MANAGER_EMULATOR_HOST"


class SecretManager:
    """Reads secrets; its client is made with the first one."""

    def __init__(
        self, *, client: Any = None, timeout: float = 10.0, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._client = client
        self._timeout = timeout
        self._emulator: Callable[[], str] = lambda: environ.get(EMULATOR, "")
        self._lock = threading.Lock()

    def latest(self, secret: str) -> str:
        """Return what the latest version of ``projects/P/secrets/NAME`` holds, undecodable bytes replaced.

        Raises:
            StopKey: the secret is absent, disabled or destroyed, or may not be read.
            FixConfiguration: the secret's name is impossible.
            RetrySoon: Secret Manager did not answer in time, or its answer was damaged.
        """
        # 200 ms of imports, paid only where keys come from Secret Manager.
        from google.api_core import exceptions, retry  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

        resource, add = f"{secret}/versions/latest", f"gcloud secrets versions add {secret} --data-file=-"
        again = retry.Retry(
            predicate=retry.if_exception_type(exceptions.ServiceUnavailable, exceptions.ResourceExhausted),
            initial=0.2,
            maximum=2.0,
            timeout=self._timeout,
        )
        try:
            answer = self._open().access_secret_version(name=resource, retry=again, timeout=self._timeout)
        except exceptions.NotFound as error:
            raise StopKey(f"the secret {resource} does not exist or has no version", next_step=add) from error
        except exceptions.PermissionDenied as error:
            raise StopKey(
                f"this function may not read {resource}",
                next_step="grant its service account roles/secretmanager.secretAccessor on the secret",
            ) from error
        except exceptions.FailedPrecondition as error:
            raise StopKey(
                f"the latest version of {secret} is disabled or destroyed", next_step=add
            ) from error
        except exceptions.InvalidArgument as error:
            raise FixConfiguration(
                f"{resource} is no name of a secret", next_step="check KEY_SECRET_PREFIX and the key's name"
            ) from error
        except GoogleAuthError as error:
            raise RetrySoon(
                f"no credentials to read {resource}: {type(error).__name__}",
                next_step="on a laptop: gcloud auth application-default login, "
                "or unset KEY_SECRET_PREFIX and set the key itself",
            ) from error
        except (exceptions.RetryError, exceptions.GoogleAPICallError) as error:
            raise RetrySoon(
                f"Secret Manager did not give {resource}: {type(error).__name__}",
                next_step="nothing: the message is delivered again",
            ) from error
        return _text(answer.payload, resource)

    def _open(self) -> Any:
        with self._lock:
            if self._client is None:
                from google.cloud.secretmanager import SecretManagerServiceClient  # noqa: PLC0415

                host = self._emulator()
                self._client = (
                    SecretManagerServiceClient(transport=_plain(host))
                    if host
                    else SecretManagerServiceClient()
                )
            return self._client


def _text(payload: Any, resource: str) -> str:
    data: bytes = payload.data
    if "data_crc32c" in payload:
        import google_crc32c  # noqa: PLC0415

        if google_crc32c.value(data) != payload.data_crc32c:
            raise RetrySoon(
                f"{resource} arrived damaged: its checksum differs",
                next_step="nothing: the message is delivered again",
            )
    # Not by a decoder that raises: its exception holds what it could not decode.
    return data.decode("ascii", "replace")


def _plain(host: str) -> Any:
    """Return a transport without encryption and credentials, to this machine and no other."""
    from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (  # noqa: PLC0415
        SecretManagerServiceGrpcTransport,
    )

    channel = plain_channel(host, variable=EMULATOR, why="keys would travel in the clear")
    return SecretManagerServiceGrpcTransport(channel=channel)
