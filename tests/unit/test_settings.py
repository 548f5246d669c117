"""The environment: every variable, every problem at once, no secret repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import FixConfiguration
from shared.settings import DEFAULTS, ROOT, Account, Settings


def refused(**environ):
    with pytest.raises(FixConfiguration) as raised:
        Settings.read(environ)
    return str(raised.value)


def test_nothing_set_is_a_laptop():
    """Every variable has a default that works on a fresh machine."""
    settings = Settings.read({})
    assert settings == Settings(
        warehouse=f"duckdb:{ROOT}/data/warehouse.duckdb",
        archive=f"file:{ROOT}/data/archive",
        torn_api_url="https://api.torn.com/v2",
        key_secret_prefix="",
        accounts={"default": Account()},
        run_timeout=480.0,
        warehouse_wait=60.0,
        log_format="text",
        log_level="INFO",
        log_folder=ROOT / "data" / "logs",
    )


def test_an_empty_variable_is_not_set():
    """As shells and Terraform leave them."""
    assert Settings.read(dict.fromkeys(DEFAULTS, "")) == Settings.read({})


def test_every_variable_is_read():
    """What is set is what is used."""
    settings = Settings.read(
        {
            "WAREHOUSE": "duckdb:/tmp/w.duckdb",
            "ARCHIVE": "gs://bucket/raw/",
            "TORN_API_URL": "http://127.0.0.1:8080/v2/",
            "KEY_SECRET_PREFIX": "projects/my-project/secrets/",
            "ACCOUNTS": '{"red": {"faction_id": 1, "key": "red-key"}, "blue_2": {}}',
            "RUN_TIMEOUT": "30.5",
            "WAREHOUSE_WAIT": "1",
            "LOG_FORMAT": "JSON",
            "LOG_LEVEL": "debug",
            "LOG_FOLDER": "some/logs",
        }
    )
    assert settings == Settings(
        warehouse="duckdb:/tmp/w.duckdb",
        archive="gs://bucket/raw",
        torn_api_url="http://127.0.0.1:8080/v2",
        key_secret_prefix="projects/my-project/secrets/",
        accounts={"red": Account(faction_id=1, key="red-key"), "blue_2": Account()},
        run_timeout=30.5,
        warehouse_wait=1.0,
        log_format="json",
        log_level="DEBUG",
        log_folder=ROOT / "some" / "logs",
    )


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "text"),
        ({"K_SERVICE": "crimes"}, "json"),
        ({"K_SERVICE": "crimes", "LOG_FORMAT": "text"}, "text"),
    ],
)
def test_the_log_format_follows_the_place(environ, expected):
    """JSON where Cloud Run says that it is there, text elsewhere, unless it is said otherwise."""
    assert Settings.read(environ).log_format == expected


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"ARCHIVE": "file:data/simulated/archive"}, ROOT / "data" / "simulated" / "logs"),
        ({"ARCHIVE": "file:/abs/archive", "LOG_FOLDER": "auto"}, Path("/abs/logs")),
        ({"ARCHIVE": "gs://bucket/raw"}, ROOT / "data" / "logs"),
        ({"LOG_FOLDER": "/abs/mine"}, Path("/abs/mine")),
        ({"LOG_FOLDER": "none"}, None),
        ({"K_SERVICE": "crimes"}, None),
        ({"K_SERVICE": "crimes", "LOG_FOLDER": "/abs/mine"}, None),
    ],
)
def test_log_lines_are_kept_beside_the_archive_and_not_in_the_cloud(environ, folder):
    """A simulated faction's stay apart as its rows do; LOG_FOLDER says otherwise, on this machine."""
    assert Settings.read(environ).log_folder == folder


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        ("file:some/folder", f"{ROOT}/some/folder"),
        ("file:/abs/folder", "/abs/folder"),
        ("file:///abs/folder", "/abs/folder"),
    ],
)
def test_relative_paths_begin_at_the_root(value, folder):
    """Whatever folder a function was started in, the archive is in the same place."""
    assert Settings.read({"ARCHIVE": value}).archive == f"file:{folder}"


def test_the_folder_it_was_started_in_does_not_matter(tmp_path):
    """A process elsewhere finds the same warehouse."""
    code = "from shared.settings import Settings; print(Settings.read().warehouse)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "WAREHOUSE": "duckdb:data/x.duckdb"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"duckdb:{ROOT}/data/x.duckdb\n"


def test_all_problems_are_said_at_once():
    """One line each, and what to do."""
    text = refused(
        WAREHOUSE="mysql:x",
        ARCHIVE="s3://bucket",
        TORN_API_URL="http://api.torn.com/v2",
        KEY_SECRET_PREFIX="torn",
        ACCOUNTS="[]",
        RUN_TIMEOUT="soon",
        WAREHOUSE_WAIT="-1",
        LOG_FORMAT="xml",
        LOG_LEVEL="LOUD",
        LOG_FOLDER="gs://bucket/logs",
    )
    lines = [line.strip() for line in text.splitlines()[1:]]
    assert [line.split(":")[0] for line in lines] == list(DEFAULTS)
    assert "correct these environment variables" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAREHOUSE", "duckdb:"),
        ("WAREHOUSE", "/some/file"),
        ("ARCHIVE", "file:"),
        ("ARCHIVE", "file:///"),
        ("ARCHIVE", "gs://"),
        ("ARCHIVE", "gs:///raw"),
        ("ARCHIVE", "gs://UPPER/raw"),
        ("ARCHIVE", "gs://bucket/raw?key=x"),
        ("ARCHIVE", "/some/folder"),
        ("TORN_API_URL", "api.torn.com/v2"),
        ("TORN_API_URL", "http://10.0.0.1/v2"),
        ("TORN_API_URL", "http://127.0.0.1.evil.example/v2"),
        ("TORN_API_URL", "ftp://api.torn.com"),
        ("TORN_API_URL", "https://"),
        ("TORN_API_URL", "https://[::1"),
        ("TORN_API_URL", "https://h:port/v2"),
        ("TORN_API_URL", "https://h:99999/v2"),
        ("TORN_API_URL", "https://h/v2?x"),
        ("TORN_API_URL", "https://h/v2#x"),
        ("KEY_SECRET_PREFIX", "projects/p/"),
        ("KEY_SECRET_PREFIX", "projects/p/secrets/a/b"),
        ("KEY_SECRET_PREFIX", "projects//secrets/"),
        ("ACCOUNTS", "{"),
        ("ACCOUNTS", "{}"),
        ("ACCOUNTS", '{"a/b": {}}'),
        ("ACCOUNTS", '{"": {}}'),
        ("ACCOUNTS", '{"..": {}}'),
        ("ACCOUNTS", '{"é": {}}'),
        ("ACCOUNTS", '{"global": {}}'),
        ("ACCOUNTS", '{"a": {"faction": 1}}'),
        ("ACCOUNTS", '{"a": {"faction_id": "1"}}'),
        ("ACCOUNTS", '{"a": {"key": "../x"}}'),
        ("ACCOUNTS", '{"a": 5}'),
        ("ACCOUNTS", '{"\udcff": {}}'),
        ("RUN_TIMEOUT", "0"),
        ("RUN_TIMEOUT", "nan"),
        ("RUN_TIMEOUT", "inf"),
        ("WAREHOUSE_WAIT", "1 minute"),
        ("LOG_LEVEL", "5"),
        ("LOG_FOLDER", "file:data/logs"),
        ("LOG_FOLDER", "a\0b"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name, value):
    """Each is one problem, and names its variable."""
    lines = refused(**{name: value}).splitlines()[1:]
    assert len(lines) == 1
    assert lines[0].strip().startswith(f"{name}: ")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:1", "[::1]:8080"])
def test_plain_http_is_for_this_machine(host):
    """A simulator here needs no certificate."""
    assert Settings.read({"TORN_API_URL": f"http://{host}/v2"}).torn_api_url == f"http://{host}/v2"


@pytest.mark.parametrize(
    "environ",
    [
        {"TORN_API_URL": "https://user:Hunter2@h/v2"},
        {"TORN_API_URL": "http://user:Hunter2@h/v2"},
        {"TORN_API_URL": "http://Hunter2@127.0.0.1/v2"},
        {"TORN_API_URL": "http://user:a?Hunter2@h/v2"},
        {"TORN_API_URL": "http://h/v2?key=Hunter2"},
        {"TORN_API_URL": "http://h/v2#Hunter2"},
        {"WAREHOUSE": "postgres://user:Hunter2@h/db"},
        {"ARCHIVE": "s3://key:Hunter2@bucket"},
        {"ARCHIVE": "s3://bucket?secret=Hunter2"},
        {"KEY_SECRET_PREFIX": "Hunter2"},
        {"ACCOUNTS": '{"a": {"key": "Hunter2"}}'},
    ],
)
def test_no_secret_is_repeated(environ):
    """A password or a key that stands where none belongs is refused and not shown."""
    assert "Hunter2" not in refused(**environ)
