"""A Secret Manager on this machine: Google's own protos over gRPC, with versions that tests add."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import google_crc32c
import grpc
from google.cloud.secretmanager_v1.types import AccessSecretVersionRequest, AccessSecretVersionResponse

_METHOD = "AccessSecretVersion"
_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"


class SecretManagerServer:
    """Secrets by name; ``failures`` are answered first, one a call."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}
        self.disabled: set[str] = set()
        self.denied: set[str] = set()
        self.failures: list[grpc.StatusCode] = []
        self.delay = 0.0
        self.checksum: int | None = None
        self.with_checksum = True
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._grpc = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(
            self._access,
            request_deserializer=AccessSecretVersionRequest.deserialize,
            response_serializer=AccessSecretVersionResponse.serialize,
        )
        self._grpc.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),)
        )
        self.host = f"127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._grpc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._grpc.stop(None).wait()

    def _access(
        self, request: AccessSecretVersionRequest, call: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        with self._lock:
            self.asked.append(request.name)
            failure = self.failures.pop(0) if self.failures else None
        if self.delay:
            self._stop.wait(self.delay)
        if failure is not None:
            call.abort(failure, "made to fail")
        name = request.name.removesuffix("/versions/latest")
        if name in self.denied:
            call.abort(grpc.StatusCode.PERMISSION_DENIED, f"Permission denied on {name}")
        if name not in self.secrets:
            call.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{name}] not found or has no versions.")
        if name in self.disabled:
            call.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{name} is in DISABLED state.")
        data = self.secrets[name]
        payload = {"data": data}
        if self.with_checksum:
            payload["data_crc32c"] = google_crc32c.value(data) if self.checksum is None else self.checksum
        return AccessSecretVersionResponse(name=f"{name}/versions/1", payload=payload)
