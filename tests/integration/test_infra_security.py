"""Nobody is granted more than it needs, nothing is public, and a scanner of Terraform has nothing to add."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.processes import ROOT, environment, must_skip
from support.terraform import planned

if TYPE_CHECKING:
    from pathlib import Path

    from support.plan import Plan

pytestmark = pytest.mark.timeout(300)

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
#: What may be granted on the whole project, for want of anything smaller that it could be granted on.
ON_THE_PROJECT = {"roles/bigquery.jobUser", "roles/logging.logWriter", "roles/logging.bucketWriter"}


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(tmp_path_factory)


def test_no_role_is_of_everything(plan: Plan):
    """No grant is of a basic role, an administrator's, or the impersonation of whom it does not concern."""
    grants = {address: values["role"] for address, values in plan.resources.items() if "role" in values}
    assert len(grants) > 20
    wide = re.compile(r"roles/(owner|editor|viewer|.*[aA]dmin|iam\.serviceAccountUser)$|\*")
    assert [address for address, role in grants.items() if wide.search(role)] == []
    # Pub/Sub's agent alone makes tokens, and of one account.
    makers = [address for address, role in grants.items() if role.endswith("TokenCreator")]
    assert makers == ["google_service_account_iam_member.pubsub_agent_tokens"]


def test_roles_of_our_own_list_what_they_allow(plan: Plan):
    """A custom role names each permission, and none of them sets policies or deletes what was collected."""
    roles = plan.of("google_project_iam_custom_role")
    assert roles
    for address, role in roles.items():
        assert role["permissions"], address
        for permission in role["permissions"]:
            assert re.fullmatch(r"[a-z]+\.[A-Za-z]+\.[A-Za-z]+", permission), address
            assert not re.search(r"[pP]olicy$|\.delete$|\.actAs$", permission), address


def test_nobody_is_everybody(plan: Plan):
    """Members are accounts by name: not all users, not all of a domain, not the default accounts."""
    members = {address: values["member"] for address, values in plan.resources.items() if "role" in values}
    assert members
    wide = re.compile(r"^all|domain:|projectEditor|projectViewer|-compute@|@appspot|@cloudbuild")
    assert [address for address, member in members.items() if wide.search(member)] == []


def test_project_wide_grants_are_those_that_have_no_smaller_place(plan: Plan):
    """Only jobs and logs, which belong to no dataset or bucket; and a bucket of Google's, by a condition."""
    grants = plan.of("google_project_iam_member").values()
    given = {values["role"] for values in grants if not values.get("condition")}
    (copies,) = (values for values in grants if values.get("condition"))
    assert copies["role"] == "roles/storage.objectViewer"
    (condition,) = copies["condition"]
    # Its expression has the project's number, which only the cloud knows.
    assert condition["title"] == "copies of sources only"
    assert {role for role in given if "/tcdatalogger_" not in role.replace("/test_", "/")} <= ON_THE_PROJECT


def test_grants_are_added_to_those_that_are_there(plan: Plan):
    """No resource replaces a whole policy or a role's members, which would take away others' access."""
    kinds = {address.split(".")[0] for address in plan.resources}
    assert [kind for kind in kinds if kind.endswith(("_iam_policy", "_iam_binding"))] == []
    assert "google_service_account_key" not in kinds


def test_buckets_are_closed(plan: Plan):
    """Buckets are never public, and an object's access is its bucket's."""
    for address, bucket in plan.of("google_storage_bucket").items():
        assert bucket["public_access_prevention"] == "enforced", address
        assert bucket["uniform_bucket_level_access"] is True, address


def test_no_key_is_in_the_plan(plan: Plan):
    """People add a secret's versions; Terraform, whose state would keep them, has none."""
    assert plan.of("google_secret_manager_secret")
    assert plan.of("google_secret_manager_secret_version") == {}


def test_scanner_finds_nothing(tmp_path: Path):
    """The scanner passes, but for what .checkov.yaml and the files themselves leave out with a reason."""
    if not CHECKOV.exists():
        must_skip(f"{CHECKOV} is not here: make checkov")
    # It looks for this file in its folder; the real one has folders of Terraform's own.
    (tmp_path / "infra").mkdir()
    for file in (ROOT / "infra").glob("*.tf"):
        shutil.copy(file, tmp_path / "infra")
    shutil.copy(ROOT / ".checkov.yaml", tmp_path)
    # Whatever it would fetch or send goes to a port where nobody listens.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [CHECKOV, "--output", "json"], cwd=tmp_path,
        env=environment(**nowhere, CKV_SKIP_PACKAGE_UPDATE_CHECK="true", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    failed = [f"{one['check_id']} {one['resource']}" for one in found["results"]["failed_checks"]]
    assert (done.returncode, failed) == (0, []), done.stderr
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 20
    skipped = found["results"]["skipped_checks"]
    assert skipped
    assert all(len(one["check_result"]["suppress_comment"]) > 20 for one in skipped)


def test_every_skip_has_its_reason():
    """What the scanner leaves out everywhere has a comment on its line or above its group."""
    lines = (ROOT / ".checkov.yaml").read_text(encoding="utf-8").splitlines()
    begun = lines.index("skip-check:") + 1
    reason = False
    for line in lines[begun:]:
        if line.strip().startswith("#"):
            reason = True
        else:
            assert line.strip().startswith("- CKV"), line
            assert reason, line
