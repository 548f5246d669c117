"""The environment, read once into frozen settings.

Every problem is reported at once. Relative paths resolve from the repository's root, whatever
folder a function was started in.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULTS", "ROOT", "Account", "Settings", "is_account_name"]

ROOT = Path(__file__).resolve().parent.parent

#: Every setting that the environment may hold: name → (default, what it is).
DEFAULTS: dict[str, tuple[str, str]] = {
    "WAREHOUSE": (
        "duckdb:data/warehouse.duckdb",
        "Where the rows go: `duckdb:FILE` or `bigquery:PROJECT.DATASET`.",
    ),
    "ARCHIVE": ("file:data/archive", "Where the raw responses go: `file:FOLDER` or `gs://BUCKET/PREFIX`."),
    "TORN_API_URL": ("https://api.torn.com/v2", "The API; http only for this machine."),
    "KEY_SECRET_PREFIX": ("", "`projects/P/secrets/`: keys come from Secret Manager."),
    "ACCOUNTS": ("", 'JSON: account → {"faction_id": 1, "key": "secret\'s name"}; else one, `default`.'),
    "RUN_TIMEOUT": ("480", "Seconds a run may take, below the 600 s of the ack deadline."),
    "WAREHOUSE_WAIT": ("60", "Seconds to wait for another process that holds the database."),
    "LOG_FORMAT": ("auto", "`json` (in the cloud), `text` (elsewhere), or `auto`."),
    "LOG_LEVEL": ("INFO", "DEBUG, INFO, WARNING or ERROR."),
    "LOG_FOLDER": (
        "auto",
        "Where log lines are kept for 30 days: a folder, `none`, or `auto`: `logs` beside the archive.",
    ),
}

_SECRET_PREFIX = re.compile(r"projects/[A-Za-z0-9:._-]+/secrets/?[A-Za-z0-9_-]*")
_DATASET = re.compile(
    r"[a-z][a-z0-9.:-]{4,61}[a-z0-9]\.[A-Za-z0-9_]{1,1024}|[a-z0-9-]{1,63}\.[A-Za-z0-9_]{1,1024}"
)
_SECRET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,254}")
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_USER_INFO = re.compile(r".*@", re.DOTALL)


def is_account_name(name: str) -> bool:
    """Say whether an account may have this name."""
    return _ACCOUNT_NAME.fullmatch(name) is not None and name != "global"


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One faction: its id, and the name of the key that reads it (the endpoint's, if none)."""

    faction_id: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says, validated."""

    warehouse: str
    archive: str
    torn_api_url: str
    key_secret_prefix: str = ""
    accounts: Mapping[str, Account] = field(default_factory=lambda: {"default": Account()})
    run_timeout: float = 480.0
    warehouse_wait: float = 60.0
    #: Messages can be published from here: this is the cloud, or the Pub/Sub emulator is there.
    publishes: bool = False
    log_format: str = "text"
    log_level: str = "INFO"
    #: Where log lines are kept, if anywhere.
    log_folder: Path | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read and validate the environment.

        Raises:
            FixConfiguration: with every problem, one line each.
        """
        found = {name: environ.get(name) or default for name, (default, _) in DEFAULTS.items()}
        problems: list[str] = []
        log_format = found["LOG_FORMAT"].lower()
        if log_format == "auto":
            log_format = "json" if "K_SERVICE" in environ else "text"
        settings = cls(
            warehouse=_warehouse(found["WAREHOUSE"], problems),
            archive=_archive(found["ARCHIVE"], problems),
            torn_api_url=_api_url(found["TORN_API_URL"], problems),
            key_secret_prefix=_secret_prefix(found["KEY_SECRET_PREFIX"], problems),
            accounts=_accounts(found["ACCOUNTS"], problems),
            run_timeout=_seconds("RUN_TIMEOUT", found, problems),
            warehouse_wait=_seconds("WAREHOUSE_WAIT", found, problems),
            publishes=any(environ.get(name) for name in ("K_SERVICE", "PUBSUB_EMULATOR_HOST")),
            log_format=_one_of("LOG_FORMAT", log_format, ("json", "text"), problems),
            log_level=_one_of(
                "LOG_LEVEL", found["LOG_LEVEL"].upper(), ("DEBUG", "INFO", "WARNING", "ERROR"), problems
            ),
            log_folder=_log_folder(found, problems, in_cloud="K_SERVICE" in environ),
        )
        if problems:
            raise FixConfiguration(
                "the settings have problems:\n" + "\n".join(f"  {p}" for p in problems),
                next_step="correct these environment variables",
            )
        return settings


def _warehouse(url: str, problems: list[str]) -> str:
    kind, _, rest = url.partition(":")
    if kind == "duckdb" and rest:
        return f"duckdb:{ROOT / rest}"
    if kind == "bigquery" and _DATASET.fullmatch(rest):
        return url
    problems.append(f"WAREHOUSE: {_shown(url)!r} is neither duckdb:FILE nor bigquery:PROJECT.DATASET")
    return url


def _archive(url: str, problems: list[str]) -> str:
    if re.fullmatch(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[^?#@]*)?", url):
        return url.rstrip("/")
    kind, _, rest = url.partition(":")
    if kind == "file" and rest.strip("/"):
        path = urlsplit(url).path if rest.startswith("//") else rest
        return f"file:{ROOT / path}"
    problems.append(f"ARCHIVE: {_shown(url)!r} is neither file:FOLDER nor gs://BUCKET/PREFIX")
    return url


def _log_folder(found: Mapping[str, str], problems: list[str], *, in_cloud: bool) -> Path | None:
    text = found["LOG_FOLDER"]
    if "\0" in text or _SCHEME.match(text):
        problems.append(f"LOG_FOLDER: {_shown(text)!r} is no folder; give its path, `auto` or `none`")
        return None
    if in_cloud or text == "none":
        return None
    if text != "auto":
        return ROOT / text
    # Beside the archive: what a simulated faction logs stays apart as its rows do.
    kind, _, folder = _archive(found["ARCHIVE"], []).partition(":")
    local = kind == "file" and folder.strip("/")
    return Path(folder).with_name("logs") if local else ROOT / "data" / "logs"


def _api_url(url: str, problems: list[str]) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        problems.append("TORN_API_URL: is no URL")
        return url
    schemes = {"http", "https"} if host in {"127.0.0.1", "localhost", "::1"} else {"https"}
    if parts.scheme not in schemes or not host:
        problems.append(
            f"TORN_API_URL: {_shown(url)!r} is not https (plain http would show the key; "
            "it is for this machine only)"
        )
    if "?" in url or "#" in url or "@" in parts.netloc:
        problems.append("TORN_API_URL: must hold neither a query nor a password")
    return url.rstrip("/")


def _secret_prefix(prefix: str, problems: list[str]) -> str:
    if prefix and not _SECRET_PREFIX.fullmatch(prefix):
        # Not repeated: whoever mistakes this setting for the key itself would find it in the logs.
        problems.append("KEY_SECRET_PREFIX: what it holds is not projects/PROJECT/secrets/")
    return prefix


def _shown(url: str) -> str:
    """Return a URL without what may be a password or a key."""
    return re.split(r"[?#]", _USER_INFO.sub("…@", url))[0]


def _accounts(text: str, problems: list[str]) -> Mapping[str, Account]:
    if not text:
        return {"default": Account()}
    try:
        accounts = msgspec.json.decode(text, type=dict[str, Account])
    except (msgspec.DecodeError, UnicodeError) as error:
        problems.append(f"ACCOUNTS: {error if isinstance(error, msgspec.DecodeError) else 'is no UTF-8'}")
        return {"default": Account()}
    for name, account in accounts.items():
        if not _ACCOUNT_NAME.fullmatch(name):
            problems.append(f"ACCOUNTS: {name[:80]!r} may hold letters, digits, - and _ only")
        if name == "global":
            problems.append("ACCOUNTS: 'global' is what endpoints use that are read once for all")
        if account.key is not None and not _SECRET_NAME.fullmatch(account.key):
            # Not repeated: it may be the key itself.
            problems.append(f"ACCOUNTS: {name!r}: `key` is not a secret's name, such as torn-api-key")
    if not accounts:
        problems.append("ACCOUNTS: names no account")
    return accounts


def _seconds(name: str, found: Mapping[str, str], problems: list[str]) -> float:
    try:
        value = float(found[name])
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        problems.append(f"{name}: {found[name]!r} is not a number of seconds above 0")
    return value


def _one_of(name: str, value: str, allowed: tuple[str, ...], problems: list[str]) -> str:
    if value not in allowed:
        problems.append(f"{name}: {value!r} is not one of {', '.join(allowed)}")
    return value
