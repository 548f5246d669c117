"""``tcdatalogger trigger``: one message to an endpoint's Pub/Sub topic, as a person asks for it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import click

from shared.cli.body import message_body
from shared.cli.cloud import LOGIN, lacks_credentials, project_of
from shared.cli.local import Message, one_endpoint
from shared.cli.near import unknown
from shared.cli.wait import wait_for_run
from shared.endpoint_file import find_endpoints
from shared.errors import FixConfiguration, MessageRefused, RetrySoon
from shared.job import find_jobs
from shared.message import Part, read_message
from shared.publisher import EMULATOR, Publisher
from shared.settings import Account, Settings, is_account_name
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from shared.endpoint import Endpoint

__all__ = ["trigger"]

_PATH = re.compile(r"projects/([^/]+)/topics/([^/]+)")
#: As Pub/Sub allows it.
_TOPIC = re.compile(r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
# An emulator is there or is not; Google may have a bad moment.
_HERE, _THERE = 5.0, 30.0


@click.command()
@click.argument("endpoint")
@click.option("--account", help="Whose data; else every account's.")
@click.option("--set", "params", multiple=True, metavar="NAME=VALUE", help="Override a parameter.")
@click.option("--from", "begin", metavar="TIME", help="Begin of a backfill: 2026-10-01, or unix seconds.")
@click.option("--to", "end", metavar="TIME", help="End of a backfill.")
@click.option("--project", metavar="ID", help="Where the topic is; else GOOGLE_CLOUD_PROJECT or WAREHOUSE's.")
@click.option("--prefix", envvar="TOPIC_PREFIX", default="", help="Terraform's `prefix`, if it has one.")
@click.option("--topic", metavar="NAME", help="The topic, if it is not the endpoint's.")
@click.option("--wait", type=click.FloatRange(1), metavar="SECONDS", help="Wait for the run's record.")
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@click.option("--json", "json_output", is_flag=True, help="Print message id, topic and message as JSON.")
def trigger(
    endpoint: str, account: str | None, params: tuple[str, ...], begin: str | None, end: str | None,
    project: str | None, prefix: str, topic: str | None, wait: float | None,
    *, dry_run: bool, json_output: bool,
) -> int:  # fmt: skip
    """Let the deployed function of ENDPOINT, or job, run now: publish one message to its topic."""
    jobs = find_jobs()
    if endpoint not in (there := [*find_endpoints(), *jobs]):
        raise click.UsageError(unknown("endpoint", endpoint, there))
    settings = Settings.read()
    body = message_body(params, begin, end)
    if account is not None:
        body["account"] = account
    if endpoint not in jobs:
        _check(one_endpoint(endpoint), settings, body)
    elif body:
        raise click.UsageError(
            f"{endpoint} is a job: no message changes what it does. Nothing was published."
        )
    if wait is not None:
        _refuse_to_wait(endpoint, settings, is_job=endpoint in jobs)
    data = json.dumps(body).encode()
    path = _path(endpoint, settings, project, prefix, topic)
    identity = None if dry_run else _publish(path, Part(data=data, attributes={}))
    if json_output:
        click.echo(json.dumps({"message_id": identity, "topic": path, "message": body}))
    elif identity is None:
        click.echo(f"would publish to {path}: {data.decode()}")
    else:
        click.echo(f"published {identity} to {path}: {data.decode()}")
        click.echo(f" next: {_next(identity, path, settings, project)}", err=True)
    if identity is None or wait is None:
        return 0
    warehouse = open_warehouse(settings.warehouse, wait=settings.warehouse_wait)
    # What a script reads is one JSON; the attempts are for people.
    return 0 if wait_for_run(warehouse, identity, wait, err=json_output) else 1


def _refuse_to_wait(endpoint: str, settings: Settings, *, is_job: bool) -> None:
    """Refuse, before anything is published, to wait for what would not come."""
    if is_job:
        raise click.UsageError(f"--wait: {endpoint} is a job, of which the ledger has no record.")
    if not settings.warehouse.startswith("bigquery:") and not os.environ.get(EMULATOR):
        raise click.UsageError(
            "--wait looks into the warehouse that the deployed function writes to: "
            "export WAREHOUSE=bigquery:PROJECT.DATASET first."
        )


def _check(endpoint: Endpoint, settings: Settings, body: dict[str, Any]) -> None:
    """Refuse, before it is published, what the function would refuse."""
    account, accounts = body.get("account"), settings.accounts
    if account is not None and endpoint.scope == "account":
        if os.environ.get("ACCOUNTS"):
            if account not in accounts:
                raise click.UsageError(unknown("account", account, accounts))
        elif is_account_name(account):
            # Which accounts the deployed function has is not known here.
            accounts = {account: Account()}
        else:
            raise click.UsageError(
                f"{account[:80]!r} is no account's name: letters, digits, - and _, and not `global`."
            )
    for name in body.get("params", {}):
        if name not in endpoint.overridable:
            raise click.UsageError(
                unknown("parameter that a message may set, named", name, endpoint.overridable)
            )
    try:
        read_message(endpoint, accounts, Message(json.dumps(body).encode()))
    except MessageRefused as error:
        why = error.message.removeprefix("the message was refused: ")
        raise click.UsageError(
            f"{endpoint.name} would refuse the message: {why}. Nothing was published."
        ) from None


def _path(endpoint: str, settings: Settings, project: str | None, prefix: str, topic: str | None) -> str:
    whole = _PATH.fullmatch(topic or "")
    name = whole[2] if whole else topic or f"{prefix}{endpoint}"
    if not _TOPIC.fullmatch(name):
        raise click.UsageError(
            f"{name[:80]!r} is no topic's name: 3 to 255 letters, digits and - . _ ~ + %, a letter first."
        )
    if whole and project not in {None, whole[1]}:
        raise click.UsageError(f"--project is {project!r}, but --topic is in {whole[1]!r}.")
    return f"projects/{project_of(whole[1] if whole else project, settings.warehouse)}/topics/{name}"


def _publish(path: str, message: Part) -> str:
    # 400 ms of imports, of which a mistake in the message is said without.
    from google.api_core import exceptions  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    emulator = os.environ.get(EMULATOR, "")
    try:
        (identity,) = Publisher(timeout=_HERE if emulator else _THERE).send(path, [message])
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as error:
        raise _failed(path, error, emulator) from error
    except KeyboardInterrupt:
        click.echo(f"stopped; whether the message was published to {path} is not known", err=True)
        raise click.exceptions.Exit(130) from None
    return identity


def _failed(path: str, error: Exception, emulator: str) -> FixConfiguration | RetrySoon:
    from google.api_core import exceptions  # noqa: PLC0415

    _, project, _, topic = path.split("/")
    said = getattr(error, "message", str(error))
    if isinstance(error, exceptions.NotFound):
        made = f"gcloud pubsub topics create {topic}" if emulator else "terraform apply makes it"
        return FixConfiguration(
            f"there is no topic {path}: {said}",
            next_step=f"{made}; or name it with --topic, --prefix or --project "
            f"(gcloud pubsub topics list --project {project})",
        )
    if isinstance(error, exceptions.PermissionDenied):
        return FixConfiguration(
            f"you may not publish to {path}: {said}",
            next_step=f"ask for roles/pubsub.publisher on the topic {topic}, or check --project",
        )
    if lacks_credentials(error):
        return FixConfiguration(f"there are no credentials that may publish: {said}", next_step=LOGIN)
    if isinstance(error, exceptions.InvalidArgument):
        return FixConfiguration(f"Pub/Sub refuses {path}: {said}", next_step="check --project and --topic")
    if emulator:
        return RetrySoon(
            f"the Pub/Sub emulator does not answer at {emulator}",
            next_step=f"start it (gcloud beta emulators pubsub start), or unset {EMULATOR}",
        )
    return RetrySoon(f"Pub/Sub did not take the message: {said}", next_step="try again in a minute")


def _next(identity: str, path: str, settings: Settings, project: str | None) -> str:
    in_cloud = settings.warehouse.startswith("bigquery:") and project is None
    where = "" if in_cloud or os.environ.get(EMULATOR) else f" --project {path.split('/')[1]}"
    return f"tcdatalogger logs --run {identity}{where} --follow   (tcdatalogger status: how it ended)"
