"""Raw responses, written once, in a folder or a bucket.

Layout, below the archive's URL::

    <endpoint>/<account>/<run date>/<run>/<attempt>/<request>-NNN.json.zst
    <endpoint>/<account>/<run date>/<run>/manifest.json

A run is what its manifest lists. Everything is create-only: of two deliveries that race, one
manifest wins and both go on from it. Needs create and get; never list, overwrite or delete.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import obstore
import pyarrow as pa
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

from shared.errors import BrokenContract, StorageFailed

if TYPE_CHECKING:
    from obstore.store import RetryConfig

    from shared.transport import Response

__all__ = ["Archive", "Manifest", "Page"]

_CODEC = "zstd"
MANIFEST = "manifest.json"
_FULL = ("No space left", "StorageFull", "quota exceeded", "File too large")
# Below the time of a run, so that what fails is reported by the run itself.
_RETRY: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One archived body: which request it answers, where it is, when it was asked for."""

    request: str
    path: str
    url: str
    fetched_at: datetime
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a run read, in the order it was read."""

    run_id: str
    attempt: str
    pages: list[Page]


_manifest = msgspec.json.Decoder(Manifest)


class Archive:
    """Create-only objects below one URL: ``file:FOLDER`` or ``gs://BUCKET/PREFIX``."""

    def __init__(self, url: str, *, store: Any = None) -> None:
        self.url = url
        self._store = store

    def manifest(self, folder: str) -> Manifest | None:
        """Return the manifest of a run's folder, or None when the run has not been read yet."""
        data = self._get(f"{folder}/{MANIFEST}")
        if data is None:
            return None
        try:
            return _manifest.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BrokenContract(
                f"the manifest in {self.url}/{folder} is damaged: {error}",
                next_step="restore the object, or remove it to read the API again",
            ) from error

    def put_page(self, folder: str, attempt: str, request: str, number: int, response: Response) -> Page:
        """Store one body and return its entry for the manifest."""
        path = f"{folder}/{attempt}/{request}-{number:03d}.json.zst"
        packed = pa.compress(response.body, codec=_CODEC, asbytes=True)
        if not self._create(path, packed):
            raise StorageFailed(f"{self.url}/{path} exists already", next_step="deliver again")
        return Page(
            request=request,
            path=path,
            url=response.url,
            fetched_at=response.asked_at,
            bytes=len(response.body),
            sha256=hashlib.sha256(response.body).hexdigest(),
        )

    def put_manifest(self, folder: str, manifest: Manifest) -> Manifest:
        """Store the manifest; return the one that counts, which may be another delivery's."""
        data = msgspec.json.format(msgspec.json.encode(manifest))
        if self._create(f"{folder}/{MANIFEST}", data):
            return manifest
        found = self.manifest(folder)
        if found is None:
            raise StorageFailed(f"the manifest in {self.url}/{folder} vanished", next_step="deliver again")
        return found

    def note(self, folder: str, name: str, data: bytes) -> bytes:
        """Keep bytes under a name in a run's folder, once; return those that count."""
        path = f"{folder}/{name}"
        if self._create(path, data):
            return data
        found = self._get(path)
        if found is None:
            raise StorageFailed(f"{self.url}/{path} vanished", next_step="deliver again")
        return found

    def body(self, page: Page) -> bytes:
        """Return one archived body.

        Raises:
            BrokenContract: the object is gone or is not what the manifest lists.
        """
        packed = self._get(page.path)
        if packed is None:
            raise BrokenContract(
                f"{self.url}/{page.path} is in the manifest, but not in the archive",
                next_step="restore the object; the rows cannot be made without it",
            )
        try:
            body = pa.decompress(packed, decompressed_size=page.bytes, codec=_CODEC, asbytes=True)
        except (OSError, OverflowError, MemoryError, pa.ArrowException):
            body = b""
        if hashlib.sha256(body).hexdigest() != page.sha256:
            raise BrokenContract(
                f"{self.url}/{page.path} is not what its manifest lists",
                next_step="restore the object; the rows cannot be made without it",
            )
        return bytes(body)

    def _create(self, path: str, data: bytes) -> bool:
        try:
            obstore.put(self._open(), path, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        except (BaseError, OSError, ValueError) as error:
            raise self._failed("written", path, error) from error
        return True

    def _get(self, path: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._open(), path).bytes())
        except (NotFoundError, FileNotFoundError):
            return None
        except ValueError:
            return None  # a name that no object can have
        except (BaseError, OSError) as error:
            raise self._failed("read", path, error) from error

    def _failed(self, done: str, path: str, error: Exception) -> StorageFailed:
        text = str(error)
        full = any(sign in text for sign in _FULL)
        reason = "no space left" if full else (text or type(error).__name__).splitlines()[0][:300]
        return StorageFailed(
            f"{self.url}/{path} cannot be {done}: {reason}",
            next_step="free some space; nothing was lost, run it again"
            if full
            else "check ARCHIVE and its permissions",
        )

    def _open(self) -> Any:
        if self._store is None:
            from obstore.store import LocalStore, from_url  # noqa: PLC0415

            try:
                if self.url.startswith("file:"):
                    folder = Path(self.url.removeprefix("file:"))
                    folder.mkdir(parents=True, exist_ok=True)
                    self._store = LocalStore(folder)
                else:
                    self._store = from_url(self.url, retry_config=_RETRY)
            except (BaseError, OSError, ValueError) as error:
                raise self._failed("opened", "", error) from error
        return self._store
