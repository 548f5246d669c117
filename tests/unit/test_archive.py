"""The archive: written once, read back as it was, and clear when it cannot be."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import msgspec
import obstore
import pyarrow as pa
import pytest
from obstore.store import GCSStore, MemoryStore

from shared.archive import Archive, Manifest
from shared.errors import BrokenContract, StorageFailed
from shared.transport import Response

RUN = "crimes/default/2026-11-20/20261120T1015Z"
BODY = json.dumps({"crimes": [{"id": n} for n in range(500)]}).encode()


def response(body=BODY):
    return Response(
        url="https://h/v2/faction/crimes?timestamp=5",
        status=200,
        headers={},
        body=body,
        asked_at=datetime(2026, 11, 20, 10, 15, 2, tzinfo=UTC),
    )


@pytest.fixture(params=["folder", "memory"])
def archive(request, tmp_path):
    """Give an archive in a folder, and one behind the same interface as a bucket."""
    if request.param == "folder":
        return Archive(f"file:{tmp_path}/archive")
    return Archive("gs://bucket/raw", store=MemoryStore())


@pytest.fixture
def folder(tmp_path):
    return Archive(f"file:{tmp_path}/archive")


def manifest_of(archive, attempt="a1", pages=2):
    listed = [archive.put_page(RUN, attempt, "crimes", n, response()) for n in range(pages)]
    return Manifest(run_id="crimes/default/20261120T1015Z", attempt=attempt, pages=listed)


def files(path):
    return sorted(str(f.relative_to(path)) for f in Path(path).rglob("*") if f.is_file())


def in_process(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


# Written and read


def test_a_page_comes_back_as_it_was(archive):
    """Bytes, URL and time of a page are kept, and the entry says what was stored."""
    page = archive.put_page(RUN, "a1", "crimes", 3, response())
    assert page.path == f"{RUN}/a1/crimes-003.json.zst"
    assert (page.bytes, page.sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert (page.url, page.fetched_at) == (response().url, response().asked_at)
    assert archive.body(page) == BODY


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe\x00", os.urandom(300_000)])
def test_any_bytes_are_kept(archive, body):
    """The archive keeps what came, JSON or not."""
    assert archive.body(archive.put_page(RUN, "a1", "crimes", 0, response(body))) == body


def test_pages_are_standard_zstd(folder, tmp_path):
    """Any decoder of zstd reads them, without this project."""
    page = folder.put_page(RUN, "a1", "crimes", 0, response())
    stored = (tmp_path / "archive" / page.path).read_bytes()
    assert stored[:4] == b"\x28\xb5\x2f\xfd"
    assert len(stored) < len(BODY) / 2
    assert pa.CompressedInputStream(pa.BufferReader(stored), "zstd").read() == BODY


def test_a_run_without_a_manifest_has_not_been_read(archive):
    """Pages alone are no run: a killed attempt leaves nothing that counts."""
    assert archive.manifest(RUN) is None
    archive.put_page(RUN, "a1", "crimes", 0, response())
    assert archive.manifest(RUN) is None


def test_a_manifest_comes_back_as_it_was(archive):
    """What was read, in the order it was read."""
    manifest = manifest_of(archive, pages=12)
    assert archive.put_manifest(RUN, manifest) == manifest
    assert archive.manifest(RUN) == manifest
    assert [p.path[-16:-9] for p in manifest.pages][:2] == ["mes-000", "mes-001"]


def test_a_page_is_never_overwritten(archive):
    """Objects are created, never replaced."""
    page = archive.put_page(RUN, "a1", "crimes", 0, response())
    with pytest.raises(StorageFailed, match="exists already"):
        archive.put_page(RUN, "a1", "crimes", 0, response(b"other"))
    assert archive.body(page) == BODY


def test_the_first_manifest_wins(archive):
    """A later attempt gets the manifest that counts and goes on from it."""
    first, second = manifest_of(archive, "a1"), manifest_of(archive, "a2")
    archive.put_manifest(RUN, first)
    assert archive.put_manifest(RUN, second) == first
    assert archive.manifest(RUN) == first


def test_of_attempts_that_race_one_wins_and_all_get_it(tmp_path):
    """Ten deliveries at the same instant: one manifest, and each goes on from it."""
    for store in (None, MemoryStore()):
        attempts = []
        for n in range(10):
            archive = Archive(f"file:{tmp_path}/archive", store=store)
            attempts.append((archive, manifest_of(archive, f"attempt{n}", pages=1)))
        start, got = threading.Barrier(10), []

        def race(archive, manifest, start=start, got=got):
            start.wait()
            got.append(archive.put_manifest(RUN, manifest))

        threads = [threading.Thread(target=race, args=one) for one in attempts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 10
        assert len({m.attempt for m in got}) == 1
        assert got[0] == attempts[0][0].manifest(RUN)


# Damaged


def stored_manifest(archive, text):
    obstore.put(archive._open(), f"{RUN}/manifest.json", text)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"run_id": 5}', b"\xff\xfe", b'{"run_id": "\xff"}', b"null", BODY],
    ids=lambda text: repr(text[:12]),
)
def test_a_damaged_manifest_is_named(archive, text):
    """It is not taken for a run that was never read: that would ask the API twice."""
    stored_manifest(archive, text)
    with pytest.raises(BrokenContract, match=r"manifest.*is damaged") as raised:
        archive.manifest(RUN)
    assert RUN in str(raised.value)


def test_an_absent_object_is_named(archive):
    """A page that its manifest lists and the archive lacks stops the run for good."""
    page = archive.put_page(RUN, "a1", "crimes", 0, response())
    obstore.delete(archive._open(), page.path)
    with pytest.raises(BrokenContract, match=r"crimes-000.*not in the archive"):
        archive.body(page)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        pa.compress(b"other", codec="zstd", asbytes=True),
        pa.compress(BODY + b" ", codec="zstd", asbytes=True),
        pa.compress(BODY, codec="zstd", asbytes=True)[:-5],
        pa.compress(BODY[:-1] + b"!", codec="zstd", asbytes=True),
    ],
)
def test_a_tampered_object_is_named(archive, data):
    """Whatever was done to a page, it is noticed."""
    page = archive.put_page(RUN, "a1", "crimes", 0, response())
    obstore.put(archive._open(), page.path, data)
    with pytest.raises(BrokenContract, match="not what its manifest lists"):
        archive.body(page)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a//b", "nowhere"])
def test_a_manifest_cannot_lead_out_of_the_archive(archive, path):
    """A path that was tampered with is a page that is not there."""
    page = msgspec.structs.replace(archive.put_page(RUN, "a1", "crimes", 0, response()), path=path)
    with pytest.raises(BrokenContract):
        archive.body(page)


@pytest.mark.parametrize("size", [0, len(BODY) - 1, len(BODY) + 1, 2**62])
def test_a_size_that_was_tampered_with_is_noticed(archive, size):
    """It neither costs the memory that it claims nor passes."""
    page = msgspec.structs.replace(archive.put_page(RUN, "a1", "crimes", 0, response()), bytes=size)
    with pytest.raises(BrokenContract, match="not what its manifest lists"):
        archive.body(page)


def test_a_size_below_nothing_is_a_damaged_manifest(archive):
    """A size is a number of bytes."""
    manifest = manifest_of(archive)
    pages = [msgspec.structs.replace(p, bytes=-1) for p in manifest.pages]
    stored_manifest(archive, msgspec.json.encode(msgspec.structs.replace(manifest, pages=pages)))
    with pytest.raises(BrokenContract, match="damaged"):
        archive.manifest(RUN)


# Where it cannot be written

_PUT = """
import os, sys, resource, signal
from datetime import UTC, datetime
from shared.archive import Archive, Manifest
from shared.errors import CollectError
from shared.transport import Response
archive = Archive("file:" + sys.argv[1])
body = os.urandom(200_000)
answer = Response(url="u", status=200, headers={}, body=body, asked_at=datetime.now(UTC))
archive.put_page("warm", "a", "up", 0, answer)
LIMIT
try:
    archive.put_page("run", "a1", "crimes", 0, answer)
except CollectError as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_named_and_leaves_no_part(tmp_path):
    """The error says what to do; no part of an object stays behind, under any name."""
    limit = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    )
    done = in_process(_PUT.replace("LIMIT", limit), tmp_path / "archive")
    assert done.stdout.startswith("StorageFailed"), done.stderr
    assert "no space left" in done.stdout
    assert "free some space; nothing was lost, run it again" in done.stdout
    assert files(tmp_path / "archive") == ["warm/a/up-000.json.zst"]


def test_a_folder_that_may_not_be_written_is_named():
    """An archive without permission to write says which setting to look at."""
    folder = Path(tempfile.mkdtemp())  # not below tmp_path, which no other user may enter
    try:
        folder.chmod(0o755)
        limit = f"os.chmod({str(folder)!r}, 0o555)\nif os.getuid() == 0: os.setuid(65534)"
        done = in_process(_PUT.replace("LIMIT", limit), folder)
        assert done.stdout.startswith("StorageFailed"), done.stderr
        assert "cannot be written" in done.stdout
        assert "check ARCHIVE and its permissions" in done.stdout
        assert files(folder) == ["warm/a/up-000.json.zst"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    """Neither reading nor writing crashes on it."""
    (tmp_path / "archive").write_text("in the way")
    for path in (tmp_path / "archive", tmp_path / "archive" / "below"):
        archive = Archive(f"file:{path}")
        with pytest.raises(StorageFailed, match="cannot be opened"):
            archive.manifest(RUN)
        with pytest.raises(StorageFailed, match="check ARCHIVE"):
            archive.put_page(RUN, "a1", "crimes", 0, response())


def test_a_file_in_place_of_a_runs_folder_is_named(folder, tmp_path):
    """The same, deeper down."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "crimes").write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot be written"):
        folder.put_page(RUN, "a1", "crimes", 0, response())
    with pytest.raises(StorageFailed, match="cannot be read"):
        folder.manifest(RUN)


def test_a_name_that_no_object_can_have_is_named(archive):
    """Whatever a caller passes, the error is one of ours."""
    with pytest.raises(StorageFailed):
        archive.put_page("a/../b", "a1", "crimes", 0, response())
    assert archive.manifest("a/../b") is None


_ENDLESS = """
import random, sys
from datetime import UTC, datetime
from shared.archive import Archive
from shared.transport import Response
archive, seed = Archive("file:" + sys.argv[1]), int(sys.argv[2])
for n in range(10_000):
    body = random.Random(seed * 100_000 + n).randbytes(400_000)
    answer = Response(url="u", status=200, headers={}, body=body, asked_at=datetime.now(UTC))
    archive.put_page("run", f"a{seed}", "crimes", n, answer)
    print(n, flush=True)
"""


def test_a_killed_writer_leaves_no_half_object(tmp_path):
    """Killed at any instant in a row of writes, every object under its final name is whole."""
    writers = [
        subprocess.Popen([sys.executable, "-c", _ENDLESS, tmp_path, str(n)], stdout=subprocess.PIPE)
        for n in range(6)
    ]
    try:
        for n, writer in enumerate(writers):
            writer.stdout.readline()
            time.sleep(0.003 + random.Random(n).random() * 0.02)
            writer.kill()
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    whole = [name for name in files(tmp_path) if "#" not in name]
    assert len(whole) >= 6
    for name in whole:
        _, attempt, page = name.split("/")
        seed, number = int(attempt[1:]), int(page.split("-")[1].split(".")[0])
        body = pa.CompressedInputStream(pa.BufferReader((tmp_path / name).read_bytes()), "zstd").read()
        assert body == random.Random(seed * 100_000 + number).randbytes(400_000)
    # What a kill leaves behind is in nobody's way.
    left = Archive(f"file:{tmp_path}")
    left.put_page("run", "a0", "crimes", 9_999, response())


# A bucket


class Bucket(BaseHTTPRequestHandler):
    """Cloud Storage's XML interface, as far as the archive needs it: create and get."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        created = self.headers["x-goog-if-generation-match"] == "0"
        self.server.calls.append(("PUT", self.path, created))
        if created and self.path in self.server.objects:
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        else:
            self.server.objects[self.path] = body
            self.answer(200)

    def do_GET(self):
        self.server.calls.append(("GET", self.path, None))
        body = self.server.objects.get(self.path)
        self.answer(404 if body is None else 200, body or b"")

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("x-goog-generation", "1")
        self.send_header("Last-Modified", "Fri, 20 Nov 2026 10:15:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def bucket():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    server.daemon_threads = True
    server.objects, server.calls = {}, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_bucket_needs_create_and_get_alone():
    """Over the wire: every write is create-only, nothing is listed, overwritten or deleted."""
    with bucket() as server:
        store = GCSStore(
            "bucket",
            prefix="raw",
            base_url=f"http://127.0.0.1:{server.server_port}",
            # A token of our own: without one, the store would ask the machine it runs on.
            credential_provider=lambda: {"token": "made-up", "expires_at": None},
            client_options={"allow_http": True},
        )
        archive = Archive("gs://bucket/raw", store=store)
        assert archive.manifest(RUN) is None
        first = manifest_of(archive, "a1")
        assert archive.put_manifest(RUN, first) == first
        assert archive.put_manifest(RUN, manifest_of(archive, "a2")) == first
        assert archive.body(first.pages[0]) == BODY
        assert all(created for method, _, created in server.calls if method == "PUT")
        assert {method for method, _, _ in server.calls} == {"PUT", "GET"}
        assert all(unquote(path).startswith(f"/bucket/raw/{RUN}/") for path in server.objects)
        del store, archive


def test_a_bucket_is_opened_without_asking_anyone():
    """A gs:// URL becomes a store with its prefix; no network and no credentials are needed yet."""
    code = (
        "from shared.archive import Archive; from obstore.store import GCSStore;"
        "store = Archive('gs://my-bucket/raw/v1')._open();"
        "assert isinstance(store, GCSStore); print(store.config['bucket'], store.prefix)"
    )
    done = in_process(code, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    assert done.stdout == "my-bucket raw/v1\n", done.stderr


def test_broken_credentials_are_named(tmp_path):
    """A credentials file that is none ends in an error with a next step."""
    (tmp_path / "key.json").write_text("no json")
    code = (
        "from shared.archive import Archive; from shared.errors import CollectError\n"
        "try: Archive('gs://my-bucket/raw').manifest('x')\n"
        "except CollectError as error: print(type(error).__name__, error)"
    )
    environ = {"PATH": os.environ["PATH"], "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json")}
    done = in_process(code, env=environ)
    assert done.stdout.startswith("StorageFailed gs://my-bucket/raw"), done.stderr
    assert "check ARCHIVE" in done.stdout


def test_an_unknown_kind_of_archive_is_named():
    """What is neither a folder nor a bucket is no archive."""
    with pytest.raises(StorageFailed, match="cannot be opened"):
        Archive("nowhere:at/all").manifest(RUN)


def test_a_note_is_kept_once(tmp_path):
    """What a first delivery notes beside its run counts for all; another run has its own."""
    archive = Archive(f"file:{tmp_path}")
    assert archive.note("a/run", "streams.json", b"first") == b"first"
    assert archive.note("a/run", "streams.json", b"second") == b"first"
    assert archive.note("b/run", "streams.json", b"third") == b"third"
