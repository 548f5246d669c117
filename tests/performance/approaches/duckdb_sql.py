"""DuckDB: three queries over a column of structs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from . import ACCOUNT, FACTION_ID, FETCHED_AT, RUN_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

__all__ = ["connect", "tables"]

_EVERY = "$run AS _run_id, $account AS _account"
_FETCHED = "$fetched::TIMESTAMPTZ AS server_timestamp"
_QUERIES = {
    "crimes": f"""
        SELECT {_EVERY}, {_FETCHED}, c.id AS id, c.name AS name,
               c.difficulty AS difficulty, c.status AS status,
               to_timestamp(c.created_at) AS created_at, to_timestamp(c.planning_at) AS planning_at,
               to_timestamp(c.executed_at) AS executed_at, to_timestamp(c.ready_at) AS ready_at,
               to_timestamp(c.expired_at) AS expired_at, c.previous_crime_id AS previous_crime_id,
               {FACTION_ID}::BIGINT AS faction_id, c.rewards.money AS rewards_money,
               c.rewards.respect AS rewards_respect, c.rewards.scope AS rewards_scope,
               c.rewards.payout.type AS rewards_payout_type,
               c.rewards.payout.percentage AS rewards_payout_percentage,
               c.rewards.payout.paid_by AS rewards_payout_paid_by,
               to_timestamp(c.rewards.payout.paid_at) AS rewards_payout_paid_at
        FROM crime""",
    "crimes_slots": f"""
        SELECT {_EVERY}, crime_id, name, {_FETCHED}, slot_index, s.position AS position,
               s.position_info.id AS position_id, s.position_info.label AS position_label,
               s.position_info.number AS position_number, s."user".id AS user_id,
               to_timestamp(s."user".joined_at) AS user_joined_at, s."user".progress AS user_progress,
               s."user".outcome AS user_outcome, s."user".outcome_duration AS user_outcome_duration,
               s."user".item_outcome.owned_by AS user_item_outcome_owned_by,
               s."user".item_outcome.item_id AS user_item_outcome_item_id,
               s."user".item_outcome.item_uid AS user_item_outcome_item_uid,
               s."user".item_outcome.outcome AS user_item_outcome_outcome,
               s.checkpoint_pass_rate AS checkpoint_pass_rate,
               s.item_requirement.id AS item_requirement_id,
               s.item_requirement.is_reusable AS item_requirement_is_reusable,
               s.item_requirement.is_available AS item_requirement_is_available,
               NULL::BIGINT AS success_chance
        FROM (SELECT c.id AS crime_id, c.name AS name, unnest(c.slots) AS s,
                     generate_subscripts(c.slots, 1) - 1 AS slot_index FROM crime)""",
    "crimes_reward_items": f"""
        SELECT {_EVERY}, crime_id, name, rewards_money, {_FETCHED}, item_index,
               i.id AS item_id, i.quantity AS quantity
        FROM (SELECT c.id AS crime_id, c.name AS name, c.rewards.money AS rewards_money,
                     unnest(c.rewards.items) AS i,
                     generate_subscripts(c.rewards.items, 1) - 1 AS item_index FROM crime)""",
}


def connect() -> duckdb.DuckDBPyConnection:
    """Return a database in memory, with times in UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def tables(connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, pa.Table]]:
    """Yield the tables of ``crime``, a table of one struct column ``c``."""
    constants = {"run": RUN_ID, "account": ACCOUNT, "fetched": FETCHED_AT}
    yield {name: connection.sql(query, params=constants).to_arrow_table() for name, query in _QUERIES.items()}
