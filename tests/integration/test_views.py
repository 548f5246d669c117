"""What the views answer, on both warehouses, with numbers worked out by hand.

Each test has an account of its own, so that all share one warehouse.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from support.views_place import ENDPOINTS, BigQueryPlace, DuckDBPlace

from shared.ledger import Attempt
from shared.views import sources
from shared.warehouse.views import VIEWS, all_bigquery_views


@pytest.fixture(name="place", scope="module", params=["duckdb", "bigquery"])
def _place(request, tmp_path_factory):
    if request.param == "duckdb":
        yield DuckDBPlace(tmp_path_factory.mktemp("views") / "w.duckdb")
        return
    place = BigQueryPlace(request.getfixturevalue("emulator").host)
    yield place
    place.close()


def at(text):
    """Return a moment in UTC: ``at("11-20 10:00")``, of 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def select(place, view, account, order):
    """Return an account's rows as tuples, without the account."""
    rows = place.query(f"SELECT * FROM {view} WHERE _account = '{account}' ORDER BY {order}")
    return [tuple(value for name, value in row.items() if name != "_account") for row in rows]


def crime(number, name, status, executed=None, **more):
    return {"id": number, "name": name, "status": status, "executed_at": executed and at(executed), **more}


def slot(number, index, position, user, rate, outcome=None, /, **more):  # noqa: PLR0917 - a row, as it is read
    return {
        "crime_id": number, "slot_index": index, "position": position, "user_id": user,
        "checkpoint_pass_rate": rate, "user_outcome": outcome, **more,
    }  # fmt: skip


def crimes_of_autumn(place, account):
    """Four executed crimes, of which one has no date; one expired and one planned, which count nowhere."""
    first = {"rewards_money": 1_000_000, "rewards_respect": 10, "rewards_scope": 2}
    place.put("members", account=account, run="m1", at=0, members=[{"id": 11, "name": "Ann"}])
    place.put("members", account=account, run="m2", at=15, members=[{"id": 11, "name": "Annie"}])
    place.put(
        "crimes", account=account, run="c", at=20,
        crimes=[
            crime(1, "Blast", "Successful", "10-31 23:30", difficulty=7, **first),
            crime(2, "Blast", "Failure", "11-01 00:30", difficulty=7),
            crime(3, "Blast", "Successful", "11-15 12:00", difficulty=7, rewards_money=500_000),
            crime(4, "Mob", "Successful", difficulty=3, rewards_money=0),
            crime(5, "Blast", "Expired", difficulty=7),
            crime(6, "Blast", "Planning", difficulty=7),
        ],
        crimes_slots=[
            slot(1, 0, "Muscle", 11, 70, "Successful"),
            slot(1, 1, "Thief", 12, 50, "Successful"),
            slot(2, 0, "Muscle", 11, 80, "Jailed", user_outcome_duration=3_600),
            slot(2, 1, "Thief", 12, 40, "Successful"),
            slot(3, 0, "Muscle", 12, 60, "Failed"),
            slot(3, 1, "Thief", 11, 90, "Successful"),
            slot(3, 2, "Thief", None, 99),
            slot(4, 0, "Muscle", 11, 75),
            slot(5, 0, "Muscle", 11, 0),
            slot(5, 1, "Thief", None, 0),
            slot(6, 0, "Muscle", 12, 77),
        ],
        # Two kinds of items: a join with them would count a crime and its money twice.
        crimes_reward_items=[
            {"crime_id": 1, "item_index": n, "item_id": 200 + n, "quantity": 1} for n in range(2)
        ],
    )  # fmt: skip


OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def test_success_by_member(place):
    """Ann in November: one of two crimes succeeded, she passed one of two, at 80 and 90 percent."""
    crimes_of_autumn(place, "by_member")
    assert select(place, "success_by_member", "by_member", "month NULLS FIRST, user_id") == [
        # month, user, name, crimes, successful, rate, pass rate, outcomes known, passed, own rate
        (None, 11, "Annie", 1, 1, 100.0, 75.0, 0, 0, None),
        (OCTOBER, 11, "Annie", 1, 1, 100.0, 70.0, 1, 1, 100.0),
        (OCTOBER, 12, None, 1, 1, 100.0, 50.0, 1, 1, 100.0),
        (NOVEMBER, 11, "Annie", 2, 1, 50.0, 85.0, 2, 1, 50.0),
        (NOVEMBER, 12, None, 2, 1, 50.0, 50.0, 2, 1, 50.0),
    ]


def test_success_by_role(place):
    """November's Muscle had 80 and 60 percent and never passed; Thief 40 and 90, and passed twice."""
    crimes_of_autumn(place, "by_role")
    assert select(place, "success_by_role", "by_role", "month NULLS FIRST, position") == [
        # month, crime, difficulty, position, slots, successful, rate, pass rate, lowest, highest,
        # outcomes known, passed, own rate
        (None, "Mob", 3, "Muscle", 1, 1, 100.0, 75.0, 75, 75, 0, 0, None),
        (OCTOBER, "Blast", 7, "Muscle", 1, 1, 100.0, 70.0, 70, 70, 1, 1, 100.0),
        (OCTOBER, "Blast", 7, "Thief", 1, 1, 100.0, 50.0, 50, 50, 1, 1, 100.0),
        (NOVEMBER, "Blast", 7, "Muscle", 2, 1, 50.0, 70.0, 60, 80, 2, 0, 0.0),
        (NOVEMBER, "Blast", 7, "Thief", 2, 1, 50.0, 65.0, 40, 90, 2, 2, 100.0),
    ]


def test_success_by_crime(place):
    """Each crime counts once, whatever its slots and items; what no crime earned is NULL, not 0."""
    crimes_of_autumn(place, "by_crime")
    assert select(place, "success_by_crime", "by_crime", "month NULLS FIRST") == [
        # month, crime, difficulty, crimes, successful, rate, pass rate, money, respect, scope
        (None, "Mob", 3, 1, 1, 100.0, 75.0, 0, None, None),
        (OCTOBER, "Blast", 7, 1, 1, 100.0, 60.0, 1_000_000, 10, 2),
        (NOVEMBER, "Blast", 7, 2, 1, 50.0, 67.5, 500_000, None, None),
    ]


def test_crime_participations(place):
    """One row per member and executed crime, empty slots and crimes without an end left out."""
    crimes_of_autumn(place, "parts")
    found = select(place, "crime_participations", "parts", "crime_id, user_id")
    assert [row[:1] + row[2:] for row in found] == [
        # month, crime, its name, difficulty, successful, user, name, position, pass rate, outcome, seconds
        (OCTOBER, 1, "Blast", 7, True, 11, "Annie", "Muscle", 70, "Successful", None),
        (OCTOBER, 1, "Blast", 7, True, 12, None, "Thief", 50, "Successful", None),
        (NOVEMBER, 2, "Blast", 7, False, 11, "Annie", "Muscle", 80, "Jailed", 3_600),
        (NOVEMBER, 2, "Blast", 7, False, 12, None, "Thief", 40, "Successful", None),
        (NOVEMBER, 3, "Blast", 7, True, 11, "Annie", "Thief", 90, "Successful", None),
        (NOVEMBER, 3, "Blast", 7, True, 12, None, "Muscle", 60, "Failed", None),
        (None, 4, "Mob", 3, True, 11, "Annie", "Muscle", 75, None, None),
    ]


def test_accounts_are_kept_apart(place):
    """The same crime and member of two factions: each faction's rows are its own."""
    for account, name, rate in (("red", "Rita", 10), ("blue", "Bea", 90)):
        place.put("members", account=account, run="m", at=0, members=[{"id": 1, "name": name}])
        place.put(
            "crimes", account=account, run="c", at=0,
            crimes=[crime(1, "Blast", "Successful", "11-02 00:00", difficulty=1, rewards_money=rate)],
            crimes_slots=[slot(1, 0, "Muscle", 1, rate, "Successful")],
        )  # fmt: skip
    for account, name, rate in (("red", "Rita", 10), ("blue", "Bea", 90)):
        assert select(place, "success_by_member", account, "user_id") == [
            (NOVEMBER, 1, name, 1, 1, 100.0, float(rate), 1, 1, 100.0)
        ]
        assert select(place, "success_by_crime", account, "crime") == [
            (NOVEMBER, "Blast", 1, 1, 1, 100.0, float(rate), rate, None, None)
        ]


def test_idle_spells(place):
    """A spell lasts as long as readings prove it, and a window is a matter of WHERE."""
    ann = [(0, "09:50"), (15, "10:10"), (30, "10:10"), (90, "10:10"), (105, "11:40")]
    for minutes, last in ann:
        place.put(
            "members", account="idle", run=f"r{minutes}", at=minutes,
            members=[
                {"id": 1, "name": "Ann", "last_action_timestamp": at(f"11-20 {last}")},
                {"id": 2, "name": "Bob", "last_action_timestamp": at("11-20 08:00")},
                {"id": 3, "name": "Cid", "last_action_timestamp": None},
            ],
        )  # fmt: skip
    found = select(place, "idle_spells", "idle", "user_id, idle_from")
    assert [(*row[:4], *row[5:]) for row in found] == [
        (1, "Ann", at("11-20 09:50"), at("11-20 10:00"), at("11-20 10:10"), False),
        (1, "Ann", at("11-20 10:10"), at("11-20 11:30"), at("11-20 11:40"), False),
        (1, "Ann", at("11-20 11:40"), at("11-20 11:45"), None, True),
        (2, "Bob", at("11-20 08:00"), at("11-20 11:45"), None, True),
    ]
    assert [row[4] for row in found] == pytest.approx([10 / 60, 80 / 60, 5 / 60, 225 / 60])

    def idle(begin, end):
        rows = place.query(
            "SELECT member FROM idle_spells WHERE _account = 'idle' AND idle_from <= "
            f"TIMESTAMP '2026-11-20 {begin}:00+00:00' AND idle_until >= "
            f"TIMESTAMP '2026-11-20 {end}:00+00:00' ORDER BY 1"
        )
        return [row["member"] for row in rows]

    assert idle("10:15", "11:15") == ["Ann", "Bob"]
    assert idle("09:55", "11:00") == ["Bob"]
    assert idle("11:30", "11:50") == []


def test_member_changes(place):
    """Joins, leaves and renames; a record that one reading lacked is none of them."""
    readings = {
        # minute → id: (name, days in the faction)
        0: {1: ("Ann", 9), 2: ("Bob", 3), 4: ("Dan", 100), 5: ("Eve", 50), 6: ("Fay", 9)},
        15: {1: ("Ann", 9), 2: ("Bob", 3), 3: ("Cid", 0), 6: ("Fay", 0)},
        30: {1: ("Annie", 10), 3: ("Cid", 0), 4: ("Dan", 100), 5: ("Eve", 0), 6: ("Fay", 0)},
        45: {1: ("Annie", 10), 3: ("Cid", 0), 4: ("Dan", 100), 6: ("Fay", 0)},
    }
    for minute, present in readings.items():
        place.put(
            "members", account="changes", run=f"r{minute}", at=minute,
            members=[{"id": n, "name": name, "days_in_faction": d} for n, (name, d) in present.items()],
        )  # fmt: skip
    place.put("members", account="begins", run="r", at=20, members=[{"id": 9, "name": "Zoe"}])
    ten, quarter, half, last = (at(f"11-20 10:{m:02}") for m in readings)
    assert select(place, "member_changes", "changes", "user_id, seen_at, event DESC") == [
        # event, user, name, name before, after, seen
        ("renamed", 1, "Annie", "Ann", quarter, half),
        ("left", 2, "Bob", None, quarter, half),
        ("joined", 3, "Cid", None, ten, quarter),
        ("left", 5, "Eve", None, ten, quarter),
        ("joined", 5, "Eve", None, quarter, half),
        ("left", 5, "Eve", None, half, last),
        ("left", 6, "Fay", None, ten, quarter),
        ("joined", 6, "Fay", None, ten, quarter),
    ]
    assert select(place, "member_changes", "begins", "user_id") == []


def test_member_changes_across_a_pause(place):
    """Forty days without a reading: whose days ran on stayed, whose days are too few left and joined."""
    days = 40 * 24 * 60
    for run, minute, ann, bob in (("a", 0, 3, 3), ("b", days, 42, 20)):
        place.put(
            "members", account="pause", run=run, at=minute,
            members=[
                {"id": 1, "name": "Ann", "days_in_faction": ann},
                {"id": 2, "name": "Bob", "days_in_faction": bob},
                {"id": 3, "name": "Cid", "days_in_faction": None},
            ],
        )  # fmt: skip
    begin, end = at("11-20 10:00"), at("11-20 10:00") + timedelta(days=40)
    assert select(place, "member_changes", "pause", "user_id, event DESC") == [
        ("left", 2, "Bob", None, begin, end),
        ("joined", 2, "Bob", None, begin, end),
    ]


def test_delayed_crimes(place):
    """Ready for an hour or more, or all planned and a slot empty; read at ten o'clock."""

    def item(number, index, user, *, there=None, progress=100):
        return slot(
            number, index, "Muscle", user, 70, user_progress=progress, item_requirement_is_available=there
        )

    place.put(
        "crimes", account="delayed", run="c", at=0,
        crimes=[
            crime(1, "Wants an item", "Planning", ready_at=at("11-20 08:00")),
            crime(2, "Ready just now", "Planning", ready_at=at("11-20 09:30")),
            crime(3, "Wants a member", "Recruiting"),
            crime(4, "Still plans", "Recruiting"),
            crime(5, "Nobody there", "Recruiting"),
            crime(6, "Had one in hospital", "Successful", "11-20 07:00", ready_at=at("11-20 04:00")),
            crime(7, "Was punctual", "Successful", "11-20 04:01", ready_at=at("11-20 04:00")),
            crime(8, "Came to nothing", "Expired", ready_at=at("11-20 01:00"), expired_at=at("11-20 09:00")),
            crime(9, "Wants both", "Planning", ready_at=at("11-20 07:00")),
            crime(10, "Ready later", "Planning", ready_at=at("11-20 18:00")),
        ],
        crimes_slots=[
            item(1, 0, 20, there=False), item(1, 1, 21, there=True), item(1, 2, 22),
            item(2, 0, 20, there=False),
            item(3, 0, 20), item(3, 1, None, progress=None),
            item(4, 0, 20, progress=50), item(4, 1, None, progress=None),
            item(5, 0, None, progress=None),
            item(6, 0, 20, there=False), item(6, 1, 21),
            item(7, 0, 21),
            item(8, 0, 20, there=False),
            item(9, 0, 22), item(9, 1, 20, there=False),
            item(10, 0, 20, there=False),
        ],
    )  # fmt: skip
    states = {-300: {20: "Okay", 21: "Hospital"}, -120: {20: "Okay", 22: "Traveling"}, -60: {22: "Abroad"}}
    for minute, found in states.items():
        place.put(
            "members", account="delayed", run=f"m{minute}", at=minute,
            members=[{"id": n, "name": "M", "status_state": state} for n, state in found.items()],
        )  # fmt: skip
    rows = place.query(
        "SELECT crime_id, waits_for, delayed_hours, empty_slots, slots_without_item, members_away "
        "FROM delayed_crimes WHERE _account = 'delayed' ORDER BY crime_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, "member and item", 2.0, 0, 1, 1),
        (3, "member", None, 1, 0, None),
        (6, "member", 3.0, 0, None, 1),
        (8, None, 8.0, 0, None, 0),
        (9, "member and item", 3.0, 0, 1, 1),
    ]


def test_an_item_alone_delays_a_crime(place):
    """Every member was in the city, so it is the item."""
    ready = at("11-20 08:00")
    place.put(
        "crimes", account="item", run="c", at=0,
        crimes=[crime(1, "Wants an item", "Planning", ready_at=ready, difficulty=4)],
        crimes_slots=[slot(1, 0, "Muscle", 20, 70, user_progress=100, item_requirement_is_available=False)],
    )  # fmt: skip
    place.put("members", account="item", run="m", at=-30, members=[{"id": 20, "status_state": "Okay"}])
    # It was in hospital before the crime was ready, which explains nothing.
    place.put("members", account="item", run="b", at=-150, members=[{"id": 20, "status_state": "Hospital"}])
    assert select(place, "delayed_crimes", "item", "crime_id") == [
        (1, "Wants an item", 4, "Planning", ready, None, at("11-20 10:00"), "item", 2.0, 0, 1, 0)
    ]


def payouts(place, account):
    paid = {"rewards_payout_type": "balance", "rewards_payout_percentage": 80.5, "rewards_payout_paid_by": 7}
    place.put(
        "crimes", account=account, run="c", at=0,
        crimes=[
            crime(1, "Blast", "Successful", "11-01 10:00", difficulty=5, rewards_money=1_000,
                  rewards_respect=4, rewards_payout_paid_at=at("11-02 10:00"), **paid),
            crime(2, "Blast", "Successful", "11-03 10:00", difficulty=5, rewards_money=2_000),
            crime(3, "Blast", "Failure", "11-04 10:00", difficulty=5),
        ],
        crimes_slots=[slot(n, i, "Muscle", 10 + i, 70) for n in (1, 2, 3) for i in range(2)],
        crimes_reward_items=[
            {"crime_id": 1, "item_index": 0, "item_id": 206, "quantity": 3},
            {"crime_id": 1, "item_index": 1, "item_id": 207, "quantity": 1},
        ],
    )  # fmt: skip


def test_payouts(place):
    """80.5 percent of 1,000 between two is 402.5 each; what was not paid out is not 0 but unknown."""
    payouts(place, "paid")
    columns = (
        "crime_id, month, participants, earned_money, earned_respect, reward_items, is_paid, "
        "payout_percentage, paid_by, paid_at, paid_money, paid_each, kept_money"
    )
    rows = place.query(f"SELECT {columns} FROM payouts WHERE _account = 'paid' ORDER BY crime_id")
    assert [tuple(row.values()) for row in rows] == [
        (1, NOVEMBER, 2, 1_000, 4, 4, True, 80.5, 7, at("11-02 10:00"), 805.0, 402.5, 195.0),
        (2, NOVEMBER, 2, 2_000, None, None, False, None, None, None, None, None, None),
    ]


def test_payouts_by_month(place):
    """1,000 and 2,000 were earned, once each, of which 805 were paid, 195 kept, and 2,000 are open."""
    payouts(place, "months")
    assert select(place, "payouts_by_month", "months", "month") == [
        (NOVEMBER, 2, 1, 3_000, 805.0, 195.0, 2_000)
    ]


def test_points_price_history(place):
    """A reading without an offer has no price, and no price is not a low one."""
    day = 24 * 60
    for run, minute, price, offered in (("a", 0, 45, 100), ("b", 60, 47, 200), ("c", 120, None, 0),
                                        ("d", day, None, 0)):  # fmt: skip
        place.put(
            "currency", account="points", run=run, at=minute,
            currency=[{"currency_id": 1, "name": "Points", "buy_price": price, "circulation": offered}],
        )  # fmt: skip
    assert select(place, "points_price_history", "points", "day") == [
        (date(2026, 11, 20), 45, 46.0, 47, 100.0, 3),
        (date(2026, 11, 21), None, None, None, 0.0, 1),
    ]


def test_item_price_history(place):
    """The day's prices of each item, though the table of items itself knows only the last."""
    for run, minute, xanax, rock in (("a", 0, 800, 5), ("b", 360, 820, None), ("c", 24 * 60, 900, None)):
        place.put(
            "items", account="prices", run=run, at=minute,
            items=[{"item_id": 206}, {"item_id": 1}],
            item_prices=[
                {"item_id": 206, "name": "Xanax", "market_value": xanax, "circulation": 10},
                {"item_id": 1, "name": "Rock", "market_value": rock, "circulation": 4},
            ],
        )  # fmt: skip
    day, next_day = date(2026, 11, 20), date(2026, 11, 21)
    assert select(place, "item_price_history", "prices", "item_id, day") == [
        (day, 1, "Rock", 5, 5.0, 5, 4.0, 2),
        (next_day, 1, "Rock", None, None, None, 4.0, 1),
        (day, 206, "Xanax", 800, 810.0, 820, 10.0, 2),
        (next_day, 206, "Xanax", 900, 900.0, 900, 10.0, 1),
    ]
    latest = "SELECT name, market_value FROM item_prices_latest WHERE _account = 'prices' ORDER BY item_id"
    assert [tuple(row.values()) for row in place.query(latest)] == [("Rock", None), ("Xanax", 900)]


def test_latest_of_a_table_with_a_key(place):
    """The newest row of each key, though an older run be written last; who is gone is told by a column."""
    place.put("members", account="latest", run="b", at=15, members=[{"id": 1, "name": "new"}])
    old = [{"id": 1, "name": "old"}, {"id": 2, "name": "gone"}]
    place.put("members", account="latest", run="a", at=0, members=old)
    rows = place.query(
        "SELECT id, name, _run_id, _in_newest_run FROM members_latest WHERE _account = 'latest' ORDER BY id"
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, "new", "latest/b", True),
        (2, "gone", "latest/a", False),
    ]


def test_latest_of_a_table_without_a_key(place):
    """The newest run's rows, all of them; none when that run found none."""
    pacts = [{"faction_id": 5}, {"faction_id": 6}]
    place.put("news", account="pacts", run="a", at=0, news=[{"word": "war"}], news_pacts=pacts)
    latest = "SELECT faction_id FROM news_pacts_latest WHERE _account = 'pacts' ORDER BY 1"
    assert place.query(latest) == pacts
    place.put("news", account="pacts", run="b", at=15, news=[{"word": "peace"}])
    # Elsewhere a newer run changes nothing here.
    place.put("news", account="other", run="c", at=30, news=[{"word": "rain"}])
    assert place.query(latest) == []
    assert place.query("SELECT word FROM news_latest WHERE _account = 'pacts'") == [{"word": "peace"}]


def test_views_compare_runs(place):
    """Rows and NULLs of a run stand beside those of the run before; drift has its first and last run."""
    runs, drift = [], []
    for n, (rows, share) in enumerate([(10, 0.5), (7, 0.25)]):
        began = at("11-20 10:00") + timedelta(hours=n)
        attempt = Attempt(attempt=f"t{n}", endpoint="things", schema_version=1, outcome="ok",
                          started_at=began, rows={"things": rows, "parts": 1})  # fmt: skip
        quality = f'{{"null_shares":{{"things":{{"name":{share}}},"parts":{{}}}},"warnings":{{}}}}'
        runs.append({**attempt.row(), "run_id": f"r{n}", "account": "default", "quality": quality})
        drift.append({**attempt.identity(), "run_id": f"r{n}", "request": "things", "path": "things[].x",
                      "type": "string", "seen_at": began})  # fmt: skip
    failed = Attempt(attempt="t9", endpoint="things", schema_version=1, outcome="failed",
                     started_at=at("11-20 10:30"), rows={"things": 99})  # fmt: skip
    place.record({"runs": [*runs, {**failed.row(), "run_id": "r9", "account": "default"}], "drift": drift})
    changes = place.query(
        "SELECT run_id, started_at, table_name, row_count, previous_row_count FROM row_changes "
        "WHERE endpoint = 'things' ORDER BY table_name, run_id"
    )
    assert [tuple(row.values()) for row in changes] == [
        ("r0", at("11-20 10:00"), "parts", 1, None),
        ("r1", at("11-20 11:00"), "parts", 1, 1),
        ("r0", at("11-20 10:00"), "things", 10, None),
        ("r1", at("11-20 11:00"), "things", 7, 10),
    ]
    shares = place.query(
        "SELECT run_id, table_name, column_name, share, previous_share FROM null_share_changes "
        "WHERE endpoint = 'things' ORDER BY run_id"
    )
    assert [tuple(row.values()) for row in shares] == [
        ("r0", "things", "name", 0.5, None),
        ("r1", "things", "name", 0.25, 0.5),
    ]
    seen = place.query("SELECT * FROM drift_history WHERE endpoint = 'things'")
    assert [tuple(row.values()) for row in seen] == [
        ("things", "things", "things[].x", "string", "r0", at("11-20 10:00"), "r1", at("11-20 11:00"), 2)
    ]


def test_every_view_is_there_and_says_what_a_row_is(place):
    """Files, ledger and latest: each with the description that its file begins with."""
    described = place.described()
    views = all_bigquery_views("proj.any", ENDPOINTS.values())
    names = {view.name for view in views}
    assert names >= {*VIEWS, *(view.name for view in sources()), "members_latest", "news_pacts_latest"}
    assert {view.name: view.description for view in views}.items() <= described.items()


def test_days_are_those_of_utc_wherever_it_is_read(tmp_path):
    """A reader whose DuckDB is set to another zone sees the same months and days."""
    place = DuckDBPlace(tmp_path / "w.duckdb")
    crimes_of_autumn(place, "zones")
    place.put("currency", account="zones", run="p", at=-9 * 60 - 30, currency=[{"buy_price": 1}])
    with duckdb.connect(str(place.path), read_only=True) as connection:
        for zone in ("UTC", "America/New_York", "Asia/Tokyo"):
            connection.execute(f"SET TimeZone = '{zone}'")
            months = connection.execute("SELECT month FROM success_by_crime ORDER BY 1").fetchall()
            assert months == [(OCTOBER,), (NOVEMBER,), (None,)]
            days = connection.execute("SELECT day FROM points_price_history").fetchall()
            assert days == [(date(2026, 11, 20),)]
