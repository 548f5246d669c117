"""Google's Pub/Sub emulator and gcloud, both as they come in the Cloud SDK."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.processes import Process, environment, free_port, must_skip, require, until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PROJECT", "Emulator", "emulator", "message_id_of"]

PROJECT = "proj"
_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_USUAL = ("/usr/lib/google-cloud-sdk", "/usr/share/google-cloud-sdk", "/google-cloud-sdk")


@cache
def _jar() -> Path:
    """Return the emulator's jar, from where gcloud is installed."""
    gcloud = Path(require("gcloud")).resolve()
    for root in (*map(Path, _USUAL), gcloud.parent.parent):
        found = sorted(root.glob(_JAR))
        if found:
            return found[-1]
    told = subprocess.run(
        ["gcloud", "info", "--format=value(installation.sdk_root)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = sorted(Path(told.stdout.strip() or "/nowhere").glob(_JAR))
    if not found:
        must_skip("the Pub/Sub emulator is not installed (gcloud components install pubsub-emulator)")
    return found[-1]


class Emulator:
    """The emulator, and what a person or Terraform does with Pub/Sub."""

    def __init__(self, address: str, folder: Path) -> None:
        from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient  # noqa: PLC0415 - slow

        self.address = address
        self._folder = folder
        self._publisher = PublisherClient()
        self._subscriber = SubscriberClient()

    def close(self) -> None:
        """Close the connections."""
        self._subscriber.close()
        self._publisher.transport.close()

    def topic(self, name: str) -> str:
        """Make a topic; return its path."""
        path: str = self._publisher.topic_path(PROJECT, name)
        self._publisher.create_topic(name=path)
        return path

    def pull_from(self, topic: str, name: str) -> str:
        """Make a pull subscription; return its path."""
        path: str = self._subscriber.subscription_path(PROJECT, name)
        self._subscriber.create_subscription(request={"name": path, "topic": topic})
        return path

    def push_to(self, topic: str, url: str, *, dead_letters: str | None = None) -> str:
        """Make a push subscription that retries soon; return its path."""
        path: str = self._subscriber.subscription_path(PROJECT, topic.rpartition("/")[2])
        request: dict[str, Any] = {
            "name": path,
            "topic": topic,
            "push_config": {"push_endpoint": url},
            "ack_deadline_seconds": 60,
            "retry_policy": {
                "minimum_backoff": {"nanos": 200_000_000},
                "maximum_backoff": {"seconds": 1},
            },
        }
        if dead_letters:
            policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
            request["dead_letter_policy"] = policy
        self._subscriber.create_subscription(request=request)
        return path

    def remove(self, subscription: str) -> None:
        """Remove a subscription, so that nothing is pushed any more."""
        self._subscriber.delete_subscription(subscription=subscription)

    def pulled(self, subscription: str, *, timeout: float = 30.0) -> Any:
        """Return the next message of a pull subscription, acknowledged."""

        def one() -> Any:
            answer = self._subscriber.pull(subscription=subscription, max_messages=1, timeout=5)
            return list(answer.received_messages)

        (received,) = until(one, what=f"a message in {subscription}", timeout=timeout)
        self._subscriber.acknowledge(subscription=subscription, ack_ids=[received.ack_id])
        return received.message

    def gcloud_publish(self, topic: str, data: str, *flags: str) -> str:
        """Publish with the real gcloud; return the message's id."""
        env = environment(
            CLOUDSDK_AUTH_DISABLE_CREDENTIALS="true",
            CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=f"http://{self.address}/",
            CLOUDSDK_CORE_PROJECT=PROJECT,
            CLOUDSDK_CORE_DISABLE_PROMPTS="1",
            CLOUDSDK_CORE_DISABLE_USAGE_REPORTING="true",
            CLOUDSDK_CONFIG=str(self._folder / "gcloud"),
        )
        done = subprocess.run(
            [
                *(require("gcloud"), "pubsub", "topics", "publish", topic.rpartition("/")[2]),
                *(f"--message={data}", "--format=value(messageIds[0])", *flags),
            ],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return message_id_of(done.stdout)

    def publish(self, topic: str, data: bytes, **attributes: str) -> str:
        """Publish with the client; return the message's id."""
        return str(self._publisher.publish(topic, data, **attributes).result(timeout=20))


def message_id_of(said: str) -> str:
    """Return the id in what gcloud says."""
    return said.strip().strip("[]'\"")


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Run the emulator; the client is told where it is as Google's documentation says."""
    java, jar, port = require("java"), _jar(), free_port()
    address = f"127.0.0.1:{port}"
    command = [java, "-jar", jar, "--host=127.0.0.1", f"--port={port}"]
    before = os.environ.get("PUBSUB_EMULATOR_HOST")
    with Process(command, folder=folder / "emulator", env=environment()) as process:
        process.listens(port, timeout=60)
        os.environ["PUBSUB_EMULATOR_HOST"] = address
        try:
            running = Emulator(address, folder)
            try:
                yield running
            finally:
                running.close()
        finally:
            os.environ.pop("PUBSUB_EMULATOR_HOST")
            if before is not None:
                os.environ["PUBSUB_EMULATOR_HOST"] = before
