"""Keys from Secret Manager: the real client, over gRPC, against a server of the real protos."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time

import google_crc32c
import grpc
import pytest
from google.cloud.secretmanager import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from support.secret_manager import SecretManagerServer

from shared.errors import FixConfiguration, RetrySoon, StopKey
from shared.keys import KeyRing, SecretManagerKeys, open_keys
from shared.settings import Settings

PREFIX = "projects/p/secrets/"
NAME = f"{PREFIX}torn-api-key"
KEY = "Sup3rSecretKey42"


@pytest.fixture
def server():
    with SecretManagerServer() as running:
        running.secrets[NAME] = KEY.encode()
        yield running


@pytest.fixture
def keys(server):
    """Give keys whose client was handed in."""
    channel = grpc.insecure_channel(server.host)
    client = SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    yield SecretManagerKeys(PREFIX, client=client, timeout=2.0)
    channel.close()


@pytest.fixture
def emulated(server):
    """Give keys that find the server by the environment's variable."""
    found = SecretManagerKeys(PREFIX, environ={"SECRET_MANAGER_EMULATOR_HOST": server.host})
    yield found
    if found._secrets._client is not None:
        found._secrets._client.transport.close()


def said(error):
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize("stored", [KEY, f"{KEY}\n", f" {KEY}\r\n"])
def test_the_latest_version_is_read(server, keys, stored):
    """The key comes as it was meant, without the line end that `echo` leaves."""
    server.secrets[NAME] = stored.encode()
    assert keys.read("torn-api-key") == KEY
    assert server.asked == [f"{NAME}/versions/latest"]


@pytest.mark.parametrize("prefix", ["projects/p/secrets", "projects/p/secrets/", "projects/p/secrets/torn-"])
def test_the_prefix_may_hold_the_beginning_of_the_names(server, keys, prefix):
    """The prefix and the key's name are the secret's name, with or without a slash at the end."""
    some = SecretManagerKeys(prefix, client=keys._secrets._client)
    assert some.read("api-key" if prefix.endswith("-") else "torn-api-key") == KEY


def test_a_secret_without_checksum_is_taken(server, keys):
    """The checksum is optional in the protocol."""
    server.with_checksum = False
    assert keys.read("torn-api-key") == KEY


def test_a_damaged_payload_is_not_taken_for_a_key(server, keys):
    """A checksum that differs is a fault of the moment, and shows nothing of what came."""
    server.checksum = google_crc32c.value(KEY.encode()) ^ 1
    with pytest.raises(RetrySoon, match="damaged") as raised:
        keys.read("torn-api-key")
    assert KEY not in said(raised.value)


def test_absent(keys):
    """A secret that is not there says how to make one."""
    with pytest.raises(StopKey, match="does not exist") as raised:
        keys.read("another")
    assert "gcloud secrets versions add" in raised.value.next_step


def test_denied(server, keys):
    """A secret that may not be read says which role is missing."""
    server.denied.add(NAME)
    with pytest.raises(StopKey, match="may not read") as raised:
        keys.read("torn-api-key")
    assert "secretmanager.secretAccessor" in raised.value.next_step


def test_disabled_or_destroyed(server, keys):
    """A version that was disabled or destroyed holds no key."""
    server.disabled.add(NAME)
    with pytest.raises(StopKey, match="disabled or destroyed"):
        keys.read("torn-api-key")


@pytest.mark.parametrize(
    "stored",
    [b"", b"\n", b"two words", b'"quoted"', "schlüssel".encode(), b"Sup3r\xff\xfe", b"a\nb", b"a\0b"],
)
def test_what_is_no_key_is_refused_unseen(server, keys, stored):
    """Nothing of a malformed secret is shown: it may be a key in part."""
    server.secrets[NAME] = stored
    with pytest.raises(FixConfiguration, match="letters and digits") as raised:
        keys.read("torn-api-key")
    text = said(raised.value)
    assert not any(part in text for part in ["two words", "quoted", "schl", "Sup3r"])


def test_an_impossible_name_is_a_mistake_of_ours(server, keys):
    """What Secret Manager calls invalid is not asked for again."""
    server.failures = [grpc.StatusCode.INVALID_ARGUMENT]
    with pytest.raises(FixConfiguration, match="KEY_SECRET_PREFIX"):
        keys.read("torn-api-key")
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_moment_of_failure_is_bridged(server, keys, status):
    """Unavailable, then fine: the caller notices nothing."""
    server.failures = [status, status]
    assert keys.read("torn-api-key") == KEY
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAUTHENTICATED])
def test_other_failures_are_for_the_next_delivery(server, keys, status):
    """What is no statement about the key is tried again later."""
    server.failures = [status]
    with pytest.raises(RetrySoon, match="did not give"):
        keys.read("torn-api-key")


def test_a_slow_server_is_given_up(server, keys):
    """The deadline ends the wait, retries included."""
    server.delay = 5
    keys._secrets._timeout = 0.2
    began = time.monotonic()
    with pytest.raises(RetrySoon, match="did not give"):
        keys.read("torn-api-key")
    assert time.monotonic() - began < 2


def test_an_outage_is_given_up(server, keys):
    """Unavailable for longer than the deadline."""
    server.failures = [grpc.StatusCode.UNAVAILABLE] * 99
    keys._secrets._timeout = 0.5
    began = time.monotonic()
    with pytest.raises(RetrySoon, match="did not give"):
        keys.read("torn-api-key")
    assert time.monotonic() - began < 3


def test_a_rotated_key_is_taken_up_when_the_old_one_has_aged(server, keys):
    """Within the cache's time the old key serves and nothing is read; after it, the new one."""
    now = [100.0]
    ring = KeyRing(keys, ttl=300, clock=lambda: now[0])
    assert ring.get("torn-api-key") == KEY
    server.secrets[NAME] = b"NewKey"
    now[0] += 299
    assert ring.get("torn-api-key") == KEY
    assert len(server.asked) == 1
    now[0] += 2
    assert ring.get("torn-api-key") == "NewKey"
    assert len(server.asked) == 2


def test_a_refused_key_is_replaced_at_once(server, keys):
    """When the API refuses the cached key, the secret is read again without waiting for its age."""
    ring = KeyRing(keys, ttl=300, clock=lambda: 100.0)
    ring.get("torn-api-key")
    assert ring.refused("torn-api-key", KEY, StopKey("incorrect", code=2)) is False
    with pytest.raises(StopKey, match="incorrect"):
        ring.get("torn-api-key")
    server.secrets[NAME] = b"NewKey"
    assert ring.get("torn-api-key") == "NewKey"


# The emulator's variable


def test_the_variable_leads_to_a_server_on_this_machine(emulated):
    """No credentials, no encryption, the same client."""
    assert emulated.read("torn-api-key") == KEY


def test_the_client_is_made_once(server, emulated):
    """Ten threads that come at the same time share one client."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(emulated.read("torn-api-key"))) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [KEY] * 10
    assert len(server.asked) == 10


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8:443",
        "secretmanager.googleapis.com:443",
        "127.0.0.1.evil.example:80",
        "evil,127.0.0.1:80",
        "x",
    ],
)
def test_only_this_machine_is_asked_in_the_clear(host):
    """A variable that leads anywhere else is refused before anything is sent."""
    with pytest.raises(FixConfiguration, match="in the clear"):
        SecretManagerKeys(PREFIX, environ={"SECRET_MANAGER_EMULATOR_HOST": host}).read("torn-api-key")


def test_a_process_reads_its_key_from_the_emulator(server):
    """A process of its own, with nothing but the environment, reads the key and shows it nowhere."""
    code = (
        "from shared.keys import open_keys; from shared.settings import Settings;"
        "ring = open_keys(Settings.read()); import hashlib;"
        "print(hashlib.sha256(ring.get('torn-api-key').encode()).hexdigest(), ring, vars(ring))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "KEY_SECRET_PREFIX": PREFIX,
            "SECRET_MANAGER_EMULATOR_HOST": server.host,
            "http_proxy": "http://127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(hashlib.sha256(KEY.encode()).hexdigest())
    assert KEY not in done.stdout + done.stderr


def test_without_credentials_a_person_is_told_what_to_do(tmp_path):
    """No emulator and no credentials: an error with the next step, and not a stack of the library's."""
    code = (
        "from shared.keys import SecretManagerKeys; from shared.errors import CollectError\n"
        "try: SecretManagerKeys('projects/p/secrets/', timeout=1).read('torn-api-key')\n"
        "except CollectError as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        # Nobody is there to give credentials: neither a file nor a metadata server.
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "NO_GCE_CHECK": "true",
            "GCE_METADATA_HOST": "127.0.0.1:1",
            "GCE_METADATA_IP": "127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("RetrySoon no credentials"), done.stderr
    assert "gcloud auth application-default login" in done.stdout


def test_the_settings_choose_secret_manager():
    """A prefix means Secret Manager; making the ring asks nobody yet."""
    settings = Settings.read({"KEY_SECRET_PREFIX": PREFIX})
    assert isinstance(open_keys(settings)._source, SecretManagerKeys)
