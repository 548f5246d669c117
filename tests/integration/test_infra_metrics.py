"""The metrics that Terraform declares count what real functions log, and alerts ask for nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.cloud_logging import entry_of
from support.framework import Function
from support.log_filter import Comparison, Group, parse
from support.log_filter import accepts as accepts_text
from support.processes import BIN, ROOT, Process, free_port
from support.terraform import PROJECT, planned
from support.world import World, accounts, message

from shared import errors
from shared.ledger import OUTCOMES
from shared.simulator import FactionSize, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.plan import Plan

#: Account → the fault that strikes it.
FAULTS = {
    "clean": None,
    "drifting": "unknown-field@crimes:1",
    "spoiled": "wrong-type@crimes:1",
    "dead": "error-2@crimes:1",
    "busy": "error-5@crimes:1",
    "hanging": "slow@crimes:*",
}
_EXTRACT = re.compile(r"EXTRACT\(([\w.]+)\)")


class Job(Function):
    """The backup's function in a process of its own."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.name, self.port = "backup", free_port()
        Process.__init__(
            self,
            [BIN / "functions-framework", "--target=backup", "--host=127.0.0.1", f"--port={self.port}"],
            folder=folder,
            env=env,
            cwd=ROOT / "jobs" / "backup",
        )


class Logged(NamedTuple):
    """What functions logged: name of the case → the record's line, as Cloud Logging has it."""

    lines: dict[str, dict[str, Any]]

    def counted(self, metric: dict[str, Any]) -> dict[str, dict[str, str]]:
        """Return the cases whose line a metric counts, and the labels it is counted with."""
        wanted = parse(metric["filter"])
        return {
            name: {label: str(_value(rule, line) or "") for label, rule in _labels(metric).items()}
            for name, line in self.lines.items()
            if accepts(wanted, line)
        }


def accepts(wanted: Comparison | Group, line: dict[str, Any]) -> bool:
    """Say whether a line is what a filter wants, where numbers are compared as numbers."""
    if isinstance(wanted, Group):
        results = [accepts(part, line) for part in wanted.parts]
        return {"AND": all, "OR": any, "NOT": lambda found: not found[0]}[wanted.sign](results)
    found = _field(wanted.field, line)
    if wanted.sign in {"<", ">"} and isinstance(found, int | float):
        return found > float(wanted.value) if wanted.sign == ">" else found < float(wanted.value)
    return accepts_text(wanted, line)


def _field(path: str, line: dict[str, Any]) -> Any:
    found: Any = line
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _labels(metric: dict[str, Any]) -> dict[str, str]:
    return metric["label_extractors"] or {}


def _value(rule: str, line: dict[str, Any]) -> Any:
    """Return what an extractor finds; None where there is no such field."""
    match = _EXTRACT.fullmatch(rule)
    assert match, rule
    return _field(match[1], line)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Give the plan of the repository as it is."""
    return planned(tmp_path_factory)


@pytest.fixture(scope="module")
def metrics(plan: Plan) -> dict[str, dict[str, Any]]:
    """Give the metrics by name."""
    return plan.each("google_logging_metric.this")


@pytest.fixture(scope="module")
def services(plan: Plan) -> dict[str, str]:
    """Give the name that each endpoint's or job's function has in Cloud Run."""
    return {key: one["name"] for key, one in plan.each("google_cloudfunctions2_function.this").items()}


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, services: dict[str, str]) -> Logged:
    """Let functions run, well and badly, and give what they logged of it."""
    settings, _ = accounts(FAULTS)
    lines: dict[str, dict[str, Any]] = {}
    folder = tmp_path_factory.mktemp("metrics")

    def deliver(function: Function, name: str, data: bytes, *, sent: str = "", expected: int = 200) -> None:
        before = len(function.lines())
        assert function.deliver(data, message_id=sent or name) == expected
        own = [line for line in function.stderr.splitlines() if line.startswith("{")][before:]
        entries = [entry_of(line, service=services["crimes"], project=PROJECT) for line in own]
        (lines[name],) = [entry for entry in entries if "run" in entry.get("jsonPayload", {})]

    with Simulator(calls_per_minute=10_000, faction=FactionSize(crimes=8, crimes_per_day=1)) as api:
        world = World(folder, api)
        with world.function("crimes", **settings, RUN_TIMEOUT="2") as function:
            for name, fault in FAULTS.items():
                api.faults.clear()
                if fault:
                    api.faults.add_text(fault)
                expected = 500 if name in {"busy", "hanging"} else 200
                deliver(function, name, message(account=name), expected=expected)
            api.faults.clear()
            deliver(function, "repeated", message(account="clean"), sent="clean")
            deliver(function, "refused", message(account="nobody"))
            older = {"account": "clean", "from": "2026-09-01", "to": "2026-10-01"}
            deliver(function, "backfill", message(**older))
        lines |= _backups(world, services["backup"])
    # Of one crime, all are rejected.
    with Simulator(calls_per_minute=10_000, faction=FactionSize(crimes=1, crimes_per_day=1)) as api:
        api.faults.add_text("wrong-type@crimes:1")
        with World(folder / "one", api).function("crimes") as function:
            deliver(function, "broken", b"{}")
    return Logged(lines)


def _backups(world: World, service: str) -> dict[str, dict[str, Any]]:
    """Return what the job logs of a backup that is made, that was made already, and that cannot be made."""
    found = {}
    broken = world.folder / "broken.duckdb"
    broken.write_bytes(b"no database" * 1000)
    for names, file in ((["saved", "saved-already"], world.database), (["unsaved"], broken)):
        with Job(world.folder / names[0], world.environ(WAREHOUSE=f"duckdb:{file}")) as job:
            job.listens(job.port)
            for name in names:
                job.deliver(message_id=name)
            own = [line for line in job.stderr.splitlines() if line.startswith("{")]
            entries = [entry_of(line, service=service, project=PROJECT) for line in own]
            records = [entry for entry in entries if "job" in entry.get("jsonPayload", {})]
            found |= dict(zip(names, records, strict=True))
    return found


RUNS = [*FAULTS, "repeated", "refused", "backfill", "broken"]
JOBS = ["saved", "saved-already", "unsaved"]


def test_every_attempt_is_counted_with_how_it_ended(logged, metrics):
    """One line an attempt, counted once, by endpoint, account, outcome and error."""
    counted = logged.counted(metrics["runs"])

    def ended(account: str, outcome: str, error: str = "") -> dict[str, str]:
        return {"account": account, "endpoint": "crimes", "outcome": outcome, "error_class": error}

    assert counted == {
        "clean": ended("clean", "ok"),
        "drifting": ended("drifting", "ok"),
        "dead": ended("dead", "failed", "StopKey"),
        "spoiled": ended("spoiled", "ok"),
        "broken": ended("default", "failed", "TooManyRejected"),
        "busy": ended("busy", "retry", "BackOff"),
        "hanging": ended("hanging", "retry", "OutOfTime"),
        "repeated": ended("clean", "repeated"),
        "refused": ended("", "refused", "MessageRefused"),
        "backfill": ended("clean", "ok"),
    }


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        # Older history says nothing of today's rows.
        ("fresh", {"clean", "drifting", "spoiled", "repeated"}),
        ("drift", {"drifting"}),
        ("rejected", {"spoiled", "broken"}),
        ("records", {"clean", "drifting", "spoiled", "backfill"}),
        ("duration", set(RUNS)),
        ("slow", {"hanging"}),
        ("jobs", set(JOBS)),
        ("crashes", set()),
    ],
)
def test_a_metric_counts_these_lines_and_no_other(logged, metrics, metric, expected):
    """Of all that functions logged, the lines that a metric is about."""
    assert set(logged.counted(metrics[metric])) == expected


def test_no_metric_is_untested(metrics):
    """A new metric is proved here, too."""
    assert set(metrics) == {
        *("runs", "fresh", "drift", "rejected", "records", "duration", "slow", "jobs", "crashes")
    }


def test_jobs_are_counted_with_how_they_ended(logged, metrics):
    """By the job's name, which stands for an endpoint's."""
    counted = logged.counted(metrics["jobs"])
    assert {one["endpoint"] for one in counted.values()} == {"backup"}
    assert [counted[name]["outcome"] for name in ("saved", "saved-already")] == ["ok", "repeated"]
    assert counted["unsaved"]["outcome"] in {"failed", "retry"}
    assert counted["unsaved"]["error_class"] != ""


def test_what_is_measured_is_a_number(logged, metrics):
    """A distribution takes the value of every line that it counts."""
    for name in ("duration", "records", "rejected"):
        metric = metrics[name]
        assert metric["metric_descriptor"][0]["value_type"] == "DISTRIBUTION"
        for case in logged.counted(metric):
            value = _value(metric["value_extractor"], logged.lines[case])
            assert isinstance(value, int | float), (name, case)
            assert value >= 0
    assert _value(metrics["rejected"]["value_extractor"], logged.lines["broken"]) == 1


@pytest.mark.parametrize(("case", "record"), [("clean", "run"), ("saved", "job")])
def test_what_takes_too_long_is_counted(logged, metrics, case, record):
    """More than four fifths of RUN_TIMEOUT, 480 seconds, for runs and for jobs."""
    wanted = parse(metrics["slow"]["filter"])
    line = json.loads(json.dumps(logged.lines[case]))
    assert isinstance(line["jsonPayload"][record]["duration_seconds"], float)
    line["jsonPayload"][record]["duration_seconds"] = 384
    assert not accepts(wanted, line)
    line["jsonPayload"][record]["duration_seconds"] = 384.5
    assert accepts(wanted, line)


def test_the_platforms_own_errors_are_counted_as_crashes(logged, metrics):
    """Out of memory, say: no function can log that itself."""
    wanted = parse(metrics["crashes"]["filter"])
    line = {
        **{key: logged.lines["clean"][key] for key in ("resource", "timestamp")},
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fvarlog%2Fsystem",
        "severity": "ERROR",
        "textPayload": "Memory limit of 512 MiB exceeded with 530 MiB used.",
    }
    assert accepts(wanted, line)
    assert not accepts(wanted, {**line, "severity": "INFO"})


def test_other_functions_of_the_project_are_not_counted(logged, metrics):
    """Another installation's, say: its functions have other names."""
    for name, metric in metrics.items():
        wanted = parse(metric["filter"])
        for line in logged.lines.values():
            labels = {
                **line["resource"]["labels"],
                "service_name": f"my-{line['resource']['labels']['service_name']}",
            }
            other = {**line, "resource": {**line["resource"], "labels": labels}}
            assert not accepts(wanted, other), name


def test_records_and_errors_are_kept(logged, plan):
    """The bucket of the installation takes every record, and no chatter."""
    wanted = parse(plan.each("google_logging_project_sink.this")["runs"]["filter"])
    assert all(accepts(wanted, line) for line in logged.lines.values())
    chatter = {key: value for key, value in logged.lines["clean"].items() if key != "jsonPayload"}
    assert not accepts(wanted, {**chatter, "severity": "INFO", "textPayload": "fetching"})


def _queries(plan: Plan) -> Iterator[tuple[str, str]]:
    for name, policy in plan.each("google_monitoring_alert_policy.this").items():
        for condition in policy["conditions"]:
            yield name, condition["condition_prometheus_query_language"][0]["query"]
    board = json.loads(plan.one("google_monitoring_dashboard.this")["dashboard_json"])
    for tile in board["mosaicLayout"]["tiles"]:
        for curve in tile["widget"].get("xyChart", {}).get("dataSets", []):
            yield tile["widget"]["title"], curve["timeSeriesQuery"]["prometheusQuery"]


def test_alerts_and_charts_ask_for_metrics_and_labels_that_there_are(plan, metrics):
    """A name that is not there is no error in Cloud Monitoring: the alert would never open."""
    own = {metric["name"]: set(_labels(metric)) for metric in metrics.values()}
    asked = set()
    for where, query in _queries(plan):
        for text, selected in re.findall(r"logging_googleapis_com:user_(\w+)\{([^}]*)\}", query):
            distribution = re.fullmatch(r"(\w+)_(bucket|sum|count)", text)
            name = distribution[1] if distribution and distribution[1] in own else text
            assert name in own, where
            asked.add(name)
            assert 'monitored_resource="cloud_run_revision"' in selected, where
            labels = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", selected))
            assert labels <= own[name] | {"monitored_resource"}, where
        for by, text in re.findall(
            r"by \(([\w, ]+)\) \(increase\(logging_googleapis_com:user_(\w+)\{", query
        ):
            name = re.sub(r"_(bucket|sum|count)$", "", text)
            assert set(by.split(", ")) <= own[name] | {"le", "service_name"}, where
    assert asked == set(own)


def test_outcomes_and_errors_that_are_asked_for_exist(plan):
    """A renamed error would leave its alert silent."""
    for where, query in _queries(plan):
        for values in re.findall(r'outcome(?:=~|=)"([^"]+)"', query):
            assert set(values.split("|")) <= set(OUTCOMES), where
        for values in re.findall(r'error_class(?:=~|!~|=)"([^"]+)"', query):
            assert all(issubclass(getattr(errors, name), errors.CollectError) for name in values.split("|"))


def test_each_alert_says_what_happened_and_what_to_type(plan):
    """In words that fit into a notification, with variables that are left for Cloud Monitoring to fill."""
    policies = plan.each("google_monitoring_alert_policy.this")
    assert {one["user_labels"]["kind"] for one in policies.values()} == {
        path.name.removesuffix(".md.tftpl") for path in (ROOT / "infra" / "alerts").iterdir()
    }
    for name, policy in policies.items():
        text = policy["documentation"][0]["content"]
        assert [word for word in ("What happened.", "Look.", "Type.") if f"**{word}**" not in text] == []
        assert len(text.encode()) < 8_192, name
        labels = set(re.findall(r"\$\{metric_or_resource\.label\.(\w+)\}", text))
        assert text.count("${") == len(re.findall(r"\$\{metric_or_resource\.label\.\w+\}", text)), name
        query = policy["conditions"][0]["condition_prometheus_query_language"][0]["query"]
        grouped = {label for by in re.findall(r"by \(([\w, ]+)\)", query) for label in by.split(", ")}
        # A job has no account; a stale policy may be of jobs alone.
        assert labels <= grouped | {"account"}, name


def test_what_there_is_to_type_can_be_typed(plan):
    """Every subcommand and option of ours that a text names is there."""
    from shared.cli import cli  # noqa: PLC0415 - it imports every command

    texts = [
        one["documentation"][0]["content"]
        for one in plan.each("google_monitoring_alert_policy.this").values()
    ]
    texts.append(plan.one("google_monitoring_dashboard.this")["dashboard_json"].replace("\\n", "\n"))
    found = 0
    with cli.make_context("tcdatalogger", [], resilient_parsing=True) as context:
        for line in "\n".join(texts).splitlines():
            for name, rest in re.findall(r"tcdatalogger ([a-z]+)((?: [^`&\n]*)?)", line):
                command = cli.get_command(context, name)
                assert command is not None, line
                options = {option for one in command.params for option in one.opts}
                nested = getattr(command, "commands", {})
                for sub in nested.values():
                    options |= {option for one in sub.params for option in one.opts}
                assert set(re.findall(r"(?<= )--[a-z-]+", rest)) <= options, line
                found += 1
    assert found > 20
