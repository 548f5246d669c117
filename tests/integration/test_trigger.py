"""`tcdatalogger trigger`: one message, checked first, by Google's own client to Google's emulator."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from itertools import count
from typing import TYPE_CHECKING

import pytest
from support.processes import BIN, Process, environment, free_port, require, until
from support.pubsub import PROJECT, Emulator, emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.world import World

_numbers = count(1)
TWO = '{"red": {}, "blue": {}}'
#: Nothing answers there; a message that was published would fail.
NOWHERE = {"PUBSUB_EMULATOR_HOST": "127.0.0.1:9", "GOOGLE_CLOUD_PROJECT": PROJECT}


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give the running emulator."""
    with emulator(tmp_path_factory.mktemp("pubsub")) as running:
        yield running


def trigger(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Type the command; no traceback is ever shown."""
    done = subprocess.run(
        [BIN / "tcdatalogger", "trigger", *words],
        env=environment(NO_GCE_CHECK="true", **{"HOME": "/nonexistent", **settings}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def test_a_triggered_message_becomes_a_run(pubsub: Emulator, world: World) -> None:
    """What it publishes, the real function collects, under the name that was printed."""
    topic = pubsub.topic(f"t{next(_numbers)}-crimes")
    with world.function("crimes") as function:
        subscription = pubsub.push_to(topic, function.url)
        done = trigger(
            "crimes",
            "--set=cat=completed",
            f"--prefix={topic.rpartition('/')[2].removesuffix('crimes')}",
            PUBSUB_EMULATOR_HOST=pubsub.address,
            GOOGLE_CLOUD_PROJECT=PROJECT,
        )
        assert done.returncode == 0, done.stderr
        until(lambda: world.outcomes() == ["ok"], what="a run that is ok", timeout=30)
        pubsub.remove(subscription)
    (run,) = world.runs()
    assert json.loads(run["params"]) == {"cat": "completed"}
    assert done.stdout == f'published {run["message_id"]} to {topic}: {{"params": {{"cat": "completed"}}}}\n'
    assert f"tcdatalogger logs --run {run['message_id']}" in done.stderr
    assert run["run_id"] == f"crimes/default/{run['message_id']}"


@pytest.mark.parametrize(
    ("words", "body", "settings"),
    [
        (["crimes"], {}, {}),
        (["crimes", "--account=elsewhere"], {"account": "elsewhere"}, {}),
        (["crimes", "--account=red"], {"account": "red"}, {"ACCOUNTS": TWO}),
        (["items"], {}, {"ACCOUNTS": TWO}),
        (
            ["crimes", "--from=2026-09-01", "--to=1790000000", "--set=cat=planning"],
            {"params": {"cat": "planning"}, "from": "2026-09-01", "to": 1790000000},
            {},
        ),
    ],
)
def test_the_message_is_what_was_asked_for(
    pubsub: Emulator, words: list[str], body: dict[str, object], settings: dict[str, str]
) -> None:
    """One message with these fields and no attributes; --json says the same for a script."""
    name = f"topic-{next(_numbers)}"
    topic = pubsub.topic(name)
    letters = pubsub.pull_from(topic, name)
    done = trigger(
        *words,
        f"--topic={name}",
        f"--project={PROJECT}",
        "--json",
        PUBSUB_EMULATOR_HOST=pubsub.address,
        **settings,
    )
    assert done.returncode == 0, done.stderr
    received = pubsub.pulled(letters)
    assert json.loads(received.data) == body
    assert dict(received.attributes) == {}
    assert json.loads(done.stdout) == {"message_id": received.message_id, "topic": topic, "message": body}


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (["crims"], {}, "There is no endpoint 'crims'. Did you mean crimes? There are: basic, crimes,"),
        (["crimes", "--set=cta=x"], {}, "named 'cta'. Did you mean cat? There are: cat, filters."),
        (["items", "--set=cat"], {}, "'cat' is not NAME=VALUE"),
        (["crimes", "--set=cat=a;b"], {}, "characters other than letters"),
        (["crimes", "--from=2026-09-01"], {}, "a window needs both `from` and `to`"),
        (["crimes", "--from=soon", "--to=2026-09-01"], {}, "its `from` is 'soon', not unix seconds"),
        (["crimes", "--from=2026-09-02", "--to=2026-09-01"], {}, "ends (2026-09-01) before it begins"),
        (["members", "--from=2026-09-01", "--to=2026-09-02"], {}, "no request of this endpoint has one"),
        (["items", "--account=red"], {}, "this endpoint is read once for all"),
        (
            ["crimes", "--account=rde"],
            {"ACCOUNTS": TWO},
            "no account 'rde'. Did you mean red? There are: red, blue.",
        ),
        (["crimes", "--account=a b"], {}, "'a b' is no account's name"),
        (["backup", "--set=cat=x"], {}, "backup is a job: no message changes what it does"),
        (["bakup"], {}, "Did you mean backup?"),
        (["crimes", "--topic=1"], {}, "'1' is no topic's name"),
        (["crimes", "--project=No Project"], {}, "'No Project' is no project's id"),
        (["crimes", "--topic=projects/a/topics/crimes", "--project=b"], {}, "--topic is in 'a'"),
    ],
)
def test_a_mistake_is_said_and_nothing_is_published(
    words: list[str], settings: dict[str, str], said: str
) -> None:
    """A usage error, from the same rules as the function's, without asking anybody."""
    done = trigger(*words, **NOWHERE, **settings)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "settings", "topic"),
    [
        ([], {"WAREHOUSE": "bigquery:mine.torn"}, "projects/mine/topics/crimes"),
        (
            [],
            {"WAREHOUSE": "bigquery:mine.torn", "GOOGLE_CLOUD_PROJECT": "other"},
            "projects/other/topics/crimes",
        ),
        (["--project=given"], {"GOOGLE_CLOUD_PROJECT": "other"}, "projects/given/topics/crimes"),
        (["--project=p", "--prefix=test-"], {}, "projects/p/topics/test-crimes"),
        (["--project=p"], {"TOPIC_PREFIX": "test-"}, "projects/p/topics/test-crimes"),
        (["--project=p", "--topic=mine", "--prefix=test-"], {}, "projects/p/topics/mine"),
        (["--topic=projects/a/topics/mine"], {"GOOGLE_CLOUD_PROJECT": "other"}, "projects/a/topics/mine"),
    ],
)
def test_where_it_goes_is_found_in_this_order(words: list[str], settings: dict[str, str], topic: str) -> None:
    """What is typed counts before the environment; a dry run says it and publishes nothing."""
    done = trigger("crimes", "--dry-run", *words, **settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"would publish to {topic}: {{}}\n"


def test_a_job_is_triggered_as_an_endpoint_is() -> None:
    """Its topic has its name, and any message means the same."""
    done = trigger("backup", "--dry-run", "--project=p")
    assert done.stdout == "would publish to projects/p/topics/backup: {}\n"


def test_the_project_may_be_the_credentials(tmp_path: Path) -> None:
    """The one that gcloud is set to, where nothing else names one."""
    require("gcloud")
    folder = tmp_path / "gcloud"
    folder.mkdir()
    (folder / "application_default_credentials.json").write_text(
        json.dumps({"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"})
    )
    (folder / "configurations").mkdir()
    (folder / "active_config").write_text("default")
    (folder / "configurations" / "config_default").write_text("[core]\nproject = of-gcloud\n")
    done = trigger("crimes", "--dry-run", CLOUDSDK_CONFIG=str(folder))
    assert done.returncode == 0, done.stderr
    assert "projects/of-gcloud/topics/crimes" in done.stdout


def test_no_project_is_said_with_every_way_to_name_one() -> None:
    """Nothing names a project, and there are no credentials that would."""
    done = trigger("crimes")
    assert done.returncode == 1
    for way in (
        "--project",
        "GOOGLE_CLOUD_PROJECT",
        "WAREHOUSE=bigquery:",
        "gcloud auth application-default login",
    ):
        assert way in done.stderr


def test_no_credentials_is_said() -> None:
    """With how to get them."""
    done = trigger("crimes", "--project=p")
    assert done.returncode == 1
    assert "no credentials that may publish" in done.stderr
    assert "next: gcloud auth application-default login" in done.stderr


def test_a_topic_that_is_not_there_is_said(pubsub: Emulator) -> None:
    """With what makes it, and how to name another."""
    done = trigger("crimes", "--project=none", PUBSUB_EMULATOR_HOST=pubsub.address)
    assert done.returncode == 1
    assert "there is no topic projects/none/topics/crimes" in done.stderr
    for way in ("topics create crimes", "--topic", "--prefix", "--project"):
        assert way in done.stderr.partition("next:")[2]


def test_an_emulator_that_is_not_there_is_said() -> None:
    """Soon, and with what leads to it."""
    done = trigger("crimes", **NOWHERE)
    assert done.returncode == 1
    assert "the Pub/Sub emulator does not answer at 127.0.0.1:9" in done.stderr
    assert "PUBSUB_EMULATOR_HOST" in done.stderr.partition("next:")[2]


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    """While a server keeps it waiting; whether it was published is not claimed."""
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        silent.settimeout(30)
        env = environment(
            PUBSUB_EMULATOR_HOST=f"127.0.0.1:{silent.getsockname()[1]}", GOOGLE_CLOUD_PROJECT=PROJECT
        )
        with Process([BIN / "tcdatalogger", "trigger", "crimes"], folder=tmp_path / "t", env=env) as process:
            connection, _ = silent.accept()
            with connection:
                os.kill(process.group, signal.SIGINT)
                assert process.wait(20) == 130
            assert "is not known" in process.stderr
            assert "Traceback" not in process.stderr
