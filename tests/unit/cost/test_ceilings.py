"""How far a configuration goes, and that one past it is refused with the arithmetic."""

from __future__ import annotations

import pytest

from shared.cost.ceilings import ceiling_problems, ceilings
from shared.cost.changes import changes
from shared.cost.figures import file_figures
from shared.cost.setup import Setup, appending, setups_of, streaming, with_instances


def met(setups, figures):
    """Give limit → (accounts, arithmetic), where each limit is met once."""
    found = ceilings(setups, figures)
    assert len({one.limit for one in found}) == len(found)
    return {one.limit: (one.accounts, one.arithmetic) for one in found}


def test_load_jobs_of_a_table(log_setup, figures):
    """1 job x 24 runs a day x N ≤ 1,500: 62 accounts, as 62.5 x 24 = 1,500."""
    assert met([log_setup], figures)["load jobs per table and day"] == (
        62,
        "the table log takes 1 load job a run x 24 runs a day x N accounts ≤ 1,500 load jobs → N ≤ 62",
    )


def test_merged_tables_have_no_load_jobs_of_their_own(things_setup, figures):
    """They are loaded into tables of the run's own; the project counts those: 192 a day and account."""
    found = met([things_setup], figures)
    assert "load jobs per table and day" not in found
    assert found["load jobs per project and day"] == (
        520,
        "(things 192) x N accounts ≤ 100,000 load jobs a day → N ≤ 100,000 / 192 = 520",
    )


def test_what_is_read_for_all_is_taken_off_first(log_setup, make_things, figures):
    """100,000 - 192 = 99,808 jobs are left; / 24 = 4,158.7."""
    found = ceilings([log_setup, Setup(make_things(scope="global"))], figures)
    [one] = [one for one in found if one.limit == "load jobs per project and day"]
    assert one.accounts == 4_158
    assert one.arithmetic == (
        "(log 24) x N accounts + things 192 ≤ 100,000 load jobs a day → N ≤ (100,000 - 192) / 24 = 4,158"
    )


def test_transactions_take_turns(things_setup, figures):
    """7.5 s x N ≤ 900 s: 120 accounts, exactly."""
    assert met([things_setup], figures)["concurrent transactions on one table"] == (
        120,
        (
            "things takes one transaction at a time, 7.50 s of each run (5 statements x 1.5, assumed) "
            "x N accounts ≤ 900 s from slot to slot (PT15M) → N ≤ 120"
        ),
    )


def test_an_instance_makes_one_run_after_the_other(log_setup, figures):
    """2 s x N ≤ 3,600 s: 1,800 accounts; with 3 instances 5,400."""
    assert met([log_setup], figures)["time of 1 instance"] == (
        1_800,
        (
            "an instance makes one run at a time, 2.00 s each (fetch 1.00 + flatten 0.50 + write 0.50) "
            "x N accounts ≤ 3,600 s from slot to slot (PT1H) → N ≤ 1,800"
        ),
    )
    accounts, text = met([with_instances(log_setup, 3)], figures)["time of 3 instances"]
    assert accounts == 5_400
    assert "≤ 10,800 s: 3 instances x 3,600 s from slot to slot (PT1H)" in text


def test_streams_replace_load_jobs(log_setup, figures):
    """In 4 hours there are 4 runs of one stream each: 30,000 / 4 = 7,500 accounts."""
    found = met([streaming(log_setup)], figures)
    assert not [limit for limit in found if limit.startswith("load jobs")]
    assert found["write streams per project and 4 hours"] == (
        7_500,
        "(log 4) x N accounts ≤ 30,000 write streams, one a run and table → N ≤ 30,000 / 4 = 7,500",
    )


def test_appending_needs_no_transaction(things_setup, figures):
    """Then each table has its own load jobs: 1,500 / 96 = 15.6."""
    found = met([appending(things_setup)], figures)
    assert "concurrent transactions on one table" not in found
    assert found["load jobs per table and day"][0] == 15


def test_calls_of_all_accounts_from_one_address(things_setup, figures):
    """4 pages x 96 runs / 1,440 minutes = 0.2667 calls a minute: 1,000 / 0.26667 = 3,750."""
    accounts, text = met([things_setup], figures)["API calls per minute and IP address"]
    assert accounts == 3_750
    assert text.startswith(
        "(things 0.2667) x N accounts ≤ 1,000 calls a minute, were all to leave by one address"
    )


def test_calls_with_one_key_do_not_depend_on_the_accounts(log_setup, make_things, figures):
    """10 + 90 calls a minute are as many as there may be; 10 + 91 are too many for any account."""
    full = met_key([log_setup, Setup(make_things(calls_per_minute=90))], figures)
    assert (full.accounts, full.arithmetic) == (
        None, "log 10 + things 90 = 100 calls a minute ≤ 100 for each account's key",
    )  # fmt: skip
    over = met_key([log_setup, Setup(make_things(calls_per_minute=91))], figures)
    assert (over.accounts, over.arithmetic) == (
        0, "log 10 + things 91 = 101 calls a minute > 100 for each account's key",
    )  # fmt: skip


def met_key(setups, figures):
    [one] = [one for one in ceilings(setups, figures) if one.limit == "API calls per minute and user"]
    return one


def test_accounts_have_to_fit_into_their_setting(log_setup, figures):
    """An account takes 64 characters of ACCOUNTS, which has 32,768: 512 accounts."""
    assert met([log_setup], figures)["size of the setting ACCOUNTS"] == (
        512, "64 bytes an account x N accounts ≤ 32,768 bytes of a variable → N ≤ 512",
    )  # fmt: skip


def test_what_is_read_for_all_has_no_number_of_accounts(make_log, figures):
    """24 load jobs and 2 s an hour are within the limits, however many accounts there are."""
    found = ceilings([Setup(make_log(scope="global"))], figures)
    assert {one.accounts for one in found} == {None}
    assert found[0].arithmetic == (
        "the table log takes 1 load job a run x 24 runs a day, once for all accounts, ≤ 1,500 load jobs"
    )


def test_past_a_ceiling_the_arithmetic_is_the_refusal(make_log, figures):
    """62 accounts are accepted, 63 are not, and it says what moves the ceiling."""
    assert ceiling_problems([make_log()], 62, figures) == []
    assert ceiling_problems([make_log()], 63, figures) == [
        (
            "63 accounts exceed load jobs per table and day of log: the table log takes 1 load job a run "
            "x 24 runs a day x N accounts ≤ 1,500 load jobs → N ≤ 62. "
            "Moved by: `writer: stream`, a longer `every`"
        )
    ]
    assert ceiling_problems([make_log(writer="stream")], 63, figures) == []


def test_one_account_too_many_for_its_own_key_is_refused(make_log, make_things, figures):
    """What no number of accounts may do is refused for one."""
    [problem] = ceiling_problems([make_log(), make_things(calls_per_minute=91)], 1, figures)
    assert problem.startswith("1 account exceeds API calls per minute and user: log 10 + things 91 = 101")


def test_the_declared_endpoints_take_15_accounts(six):
    """members appends 96 times a day: 1,500 / 96 = 15.6. One faction, and 15, are within every ceiling."""
    assert ceiling_problems(six, 1) == []
    assert ceiling_problems(six, 15) == []
    [problem] = ceiling_problems(six, 16)
    assert "the table members takes 1 load job a run x 96 runs a day x N accounts ≤ 1,500" in problem


def test_each_setting_moves_the_first_ceiling(six):
    """`writer: stream`, more instances, append instead of merge: each brings it further than the last."""
    setups = setups_of(six)
    found = list(changes(setups, {one.name: file_figures(one.endpoint) for one in setups}))
    assert [one.setting for one in found] == [
        "as declared", "+ writer: stream", "+ 100 instances of each function", "+ append instead of merge",
    ]  # fmt: skip
    reach = [(one.first.accounts, one.first.limit, one.first.endpoint) for one in found]
    # 900 s / (1.0 + 0.0794 / 0.333 + 3 + 10.5 + 0.2) = 60.2. 900 s / 10.5 = 85.7. In 4 hours crimes makes
    # 16 x 3 streams, members 16, basic 10, faction_currency 2, and for all currency 4 x 2 and items 1:
    # (30,000 - 9) / 76 = 394.6.
    assert reach == [
        (15, "load jobs per table and day", "members"),
        (60, "time of 1 instance", "crimes"),
        (85, "concurrent transactions on one table", "crimes"),
        (394, "write streams per project and 4 hours", None),
    ]


@pytest.mark.parametrize("number", [15, 60, 85])
def test_a_ceiling_is_the_last_number_that_is_accepted(number, six):
    """One account more exceeds one ceiling more."""
    before = len(ceiling_problems(six, number))
    assert len(ceiling_problems(six, number + 1)) == before + 1
