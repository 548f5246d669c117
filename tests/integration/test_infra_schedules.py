"""``every`` becomes the schedule that Cloud Scheduler understands: Terraform and Python agree on each."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import ROOT, environment, require

from shared.schedule import DAY, every

if TYPE_CHECKING:
    from collections.abc import Iterator

DIVISORS = [minutes for minutes in range(1, 1441) if 1440 % minutes == 0]
#: Other ways to write some of them.
SPELLINGS = ["PT0H15M", "P0DT1H", "PT24H", "PT1440M", "P0W1D", "PT1H0M", "PT00015M", "P0DT0H90M"]
REFUSED = [
    *(f"PT{minutes}M" for minutes in range(1, 200) if 1440 % minutes),
    "P1M", "P1Y", "P2D", "P1W", "PT90S", "PT15M30S", "PT0M", "P0D", "P", "PT", "P1DT", "", "15", "15M",
    "PT1.5H", "PT-15M", "-PT15M", "pt15m", " PT15M", "PT15M ", "PT15M\n", "PT1M1H", "P1DT1H", "hourly",
    "PT1e1M", "PT0000015M", "*/15 * * * *", "PT\N{ARABIC-INDIC DIGIT FIVE}M",
]  # fmt: skip
HARNESS = """
variable "every" {
  type = map(string)
}

locals {
  endpoints = { for text in keys(var.every) : text => { every = text } }
  jobs      = {}
}

output "schedules" {
  value = local.schedules
}

output "divides_a_day" {
  value = local.divides_a_day
}
"""
GROC = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/third_party"]
from googlecloudsdk.appengine.googlecron import groctimespecification
from datetime import datetime
for text, ticks in json.load(sys.stdin).items():
    schedule = groctimespecification.GrocTimeSpecification(text)
    print(json.dumps([text, [str(at) for at in schedule.GetMatches(datetime(2026, 11, 20), ticks)]]))
"""


@pytest.fixture(scope="module")
def schedules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Give what schedules.tf makes of each duration, alone and without any provider."""
    folder = tmp_path_factory.mktemp("schedules")
    shutil.copy(ROOT / "infra" / "schedules.tf", folder)
    (folder / "harness.tf").write_text(HARNESS, encoding="utf-8")
    texts = [*written(), *SPELLINGS, *REFUSED]
    (folder / "terraform.tfvars.json").write_text(
        json.dumps({"every": dict.fromkeys(texts, "")}), encoding="utf-8"
    )
    terraform(folder, "plan", "-input=false", "-no-color", "-out=made")
    found = json.loads(terraform(folder, "show", "-json", "made"))["planned_values"]["outputs"]
    assert found["divides_a_day"]["value"] == {
        text: schedule is not None for text, schedule in found["schedules"]["value"].items()
    }
    given: dict[str, str | None] = found["schedules"]["value"]
    return given


def test_every_divisor_of_a_day_has_a_schedule(schedules: dict[str, str | None]):
    """The schedule of each of a day's divisors is the documented one: cron where it can, else English."""
    assert {text: schedules[text] for text in written()} == {text: expected(text) for text in written()}


@pytest.mark.parametrize("text", SPELLINGS)
def test_one_length_has_one_schedule(schedules: dict[str, str | None], text: str):
    """However a length is written, its schedule is the same."""
    assert schedules[text] == expected(text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_divide_a_day_has_none(schedules: dict[str, str | None], text: str):
    """Terraform refuses what Python refuses: slots that drift, seconds, months, years and what is none."""
    assert schedules[text] is None
    with pytest.raises(ValueError, match=r"."):
        every(text)


@pytest.mark.parametrize("minutes", [one for one in DIVISORS if 60 % one == 0 or one % 60 == 0])
def test_cron_fires_at_the_slots(schedules: dict[str, str | None], minutes: int):
    """A cron schedule fires when a slot begins and never else, through the day."""
    schedule = schedules[f"PT{minutes}M"]
    assert schedule is not None
    minute, hour, *rest = schedule.split()
    assert rest == ["*", "*", "*"]
    fires = [60 * h + m for h in field(hour, 24) for m in field(minute, 60)]
    assert fires == list(range(0, 1440, minutes))


def test_english_is_understood_by_google(schedules: dict[str, str | None]):
    """Google's own parser reads the schedules in English, and they fire at the slots, from midnight on."""
    folder = Path(require("gcloud")).resolve().parent.parent / "lib"
    if not (folder / "googlecloudsdk" / "appengine" / "googlecron").is_dir():
        pytest.skip("this Cloud SDK has no parser of schedules")
    english = {
        schedule: 1440 // minutes + 1
        for minutes in DIVISORS
        if (schedule := schedules[f"PT{minutes}M"]) is not None and schedule.startswith("every ")
    }
    assert english
    # The SDK's own Python, where it has one: its packages are made for that.
    bundled = folder.parent / "platform" / "bundledpythonunix" / "bin" / "python3"
    python = bundled if bundled.exists() else "python3"
    done = subprocess.run(
        [python, "-I", "-B", "-W", "ignore", "-c", GROC, folder], input=json.dumps(english),
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert found.keys() == english.keys()
    for schedule, fires in found.items():
        minutes = int(schedule.split()[1])
        slots = (minutes * number for number in count(1))
        assert fires == [moment(slot) for slot in islice(slots, len(fires))], schedule


def written() -> list[str]:
    """Return every divisor of a day as a duration, in minutes and as people write it."""
    return [*(f"PT{minutes}M" for minutes in DIVISORS), "P1D", *people()]


def people() -> Iterator[str]:
    for minutes in DIVISORS[:-1]:
        hours, rest = divmod(minutes, 60)
        yield "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")


def expected(text: str) -> str:
    """Return the schedule of a duration, by the rule that is written down for Cloud Scheduler."""
    minutes = int(every(text).total_seconds()) // 60
    if every(text) == DAY:
        return "0 0 * * *"
    if 60 % minutes == 0 and minutes < 60:
        return f"*/{minutes} * * * *"
    if minutes % 60 == 0:
        return f"0 */{minutes // 60} * * *"
    return f"every {minutes} minutes synchronized"


def field(text: str, end: int) -> list[int]:
    """Return when a field of cron's fires: at a number, always, or every so many from 0 on."""
    if not text.startswith("*"):
        return [int(text)]
    return list(range(0, end, int(text.removeprefix("*").removeprefix("/") or 1)))


def moment(minute: int) -> str:
    days, rest = divmod(minute, 1440)
    return f"2026-11-{20 + days} {rest // 60:02}:{rest % 60:02}:00"


def terraform(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [require("terraform"), *words], cwd=folder, env=environment(CHECKPOINT_DISABLE="1"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
