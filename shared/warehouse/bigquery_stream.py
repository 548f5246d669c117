"""Rows by the Storage Write API: for tables that are written too often for load jobs.

One pending stream per run and table, rows at offsets, then finalize and commit: nothing is seen
before the commit, and all of it after. The streams' names are kept beside the run's archive before
the first row is sent, so that a redelivery goes on with the same streams: a row that is there
already is refused by its offset, and a stream that is committed is left alone.
"""

from __future__ import annotations

import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types

from shared.arrow import arrow_type
from shared.errors import BrokenContract, FixConfiguration, RetrySoon
from shared.logs import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shared.endpoint import Column
    from shared.warehouse import Note
    from shared.warehouse.bigquery_client import Place

__all__ = ["EMULATOR", "Streams"]

#: The gRPC address of an emulator; without BIGQUERY_EMULATOR_HOST it counts for nothing.
EMULATOR = "BIGQUERY_STORAGE_EMULATOR_HOST"

#: Bytes of rows in one request; the API takes 20 MB.
_REQUEST = 1_500_000
_NOTE = "streams.json"
_EXISTS, _TRIES, _PAUSE = 6, 5, 0.5
_FINALIZED = "finalized"
_PASSING = (
    exceptions.ServiceUnavailable,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.ResourceExhausted,
    exceptions.Unknown,
)

_names = msgspec.json.Decoder(dict[str, str])


class Streams:
    """Writes a run's rows to the tables of one dataset."""

    def __init__(self, place: Place, *, environ: Mapping[str, str] = os.environ) -> None:
        self._place = place
        self._emulator = environ.get(EMULATOR, "") if place.emulated else ""

    @cached_property
    def _client(self) -> BigQueryWriteClient:
        if not self._emulator:
            return BigQueryWriteClient()  # type: ignore[no-untyped-call]
        import grpc  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415 - emulator only
        from google.cloud.bigquery_storage_v1.services.big_query_write import transports  # noqa: PLC0415

        channel = grpc.insecure_channel(self._emulator)
        transport = transports.BigQueryWriteGrpcTransport(channel=channel)
        return BigQueryWriteClient(transport=transport)  # type: ignore[no-untyped-call]

    def write(
        self, rows: Mapping[str, pa.Table], columns: Mapping[str, Mapping[str, Column]], note: Note
    ) -> dict[str, bool]:
        """Write each table's rows once; return, per table, whether an earlier delivery had.

        Args:
            rows: Table → its rows, of those that have any; the same for every delivery.
            columns: Table → its columns.
            note: Keeps the streams' names; returns those that count.

        Raises:
            RetrySoon: the API failed for a moment; the next delivery goes on with the same streams.
            FixConfiguration: a table is not there, or this account may not write to it.
            BrokenContract: the API refuses the rows.
        """
        try:
            made = {name: self._create(name) for name in rows}
            names = _names.decode(note(_NOTE, msgspec.json.encode(made)))
            log.debug("the streams are noted")
            return {name: self._table(name, names[name], rows[name], columns[name]) for name in rows}
        except (exceptions.NotFound, exceptions.PermissionDenied) as error:
            raise FixConfiguration(
                f"BigQuery: {error.message}",
                next_step="make the tables: `tcdatalogger tables apply`, in the cloud `terraform apply`",
            ) from error
        except _PASSING as error:
            raise RetrySoon(f"BigQuery: {error}", next_step="nothing: it is delivered again") from error
        except exceptions.GoogleAPICallError as error:
            raise BrokenContract(
                f"BigQuery refuses rows: {error}", next_step="compare the rows with the table"
            ) from error

    def _create(self, table: str) -> str:
        stream = types.WriteStream(type_=types.WriteStream.Type.PENDING)
        created = self._client.create_write_stream(parent=self._parent(table), write_stream=stream)
        return str(created.name)

    def _table(self, table: str, stream: str, rows: pa.Table, columns: Mapping[str, Column]) -> bool:
        """Write one table's rows into its stream and commit it; say whether it was committed already."""
        if self._is_committed(stream):
            return True
        self._append(stream, list(_batches(rows, columns)))
        log.debug("streamed %s", table)
        self._finalize(stream, rows.num_rows)
        self._commit(table, stream)
        log.debug("committed the stream of %s", table)
        return False

    def _append(self, stream: str, batches: Sequence[pa.RecordBatch]) -> None:
        sent = 0
        for attempt in range(_TRIES):
            try:
                for answer in self._client.append_rows(
                    _requests(stream, batches[sent:], _before(batches, sent))
                ):
                    code, text = answer.error.code, answer.error.message
                    if code and _FINALIZED in text.lower():
                        # Another delivery has sent all of it.
                        return
                    if code not in {0, _EXISTS}:
                        self._refused(code, text)
                    sent += 1
            except (*_PASSING, exceptions.AlreadyExists) as error:
                if isinstance(error, exceptions.AlreadyExists):
                    sent += 1
                elif attempt == _TRIES - 1:
                    raise
                else:
                    time.sleep(_PAUSE * 2**attempt)
            if sent >= len(batches):
                return
        raise RetrySoon(f"BigQuery took {sent} of {len(batches)} requests of rows")

    def _refused(self, code: int, text: str) -> None:
        out_of_range, internal, unavailable = 11, 13, 14
        if code in {out_of_range, internal, unavailable}:
            raise RetrySoon(f"BigQuery: {text}", next_step="nothing: the next delivery goes on from there")
        raise BrokenContract(f"BigQuery refuses rows: {text}", next_step="compare the rows with the table")

    def _finalize(self, stream: str, count: int) -> None:
        found = self._client.finalize_write_stream(name=stream).row_count
        if found != count:
            raise RetrySoon(
                f"the stream has {found} of {count} rows", next_step="nothing: it is delivered again"
            )

    def _commit(self, table: str, stream: str) -> None:
        request = types.BatchCommitWriteStreamsRequest(parent=self._parent(table), write_streams=[stream])
        answer = self._client.batch_commit_write_streams(request)
        # Another delivery may have committed it a moment ago.
        if answer.stream_errors and not self._is_committed(stream):
            raise RetrySoon(f"the stream was not committed: {answer.stream_errors[0].error_message}")

    def _is_committed(self, stream: str) -> bool:
        return bool(self._client.get_write_stream(name=stream).commit_time)

    def _parent(self, table: str) -> str:
        return f"projects/{self._place.project}/datasets/{self._place.dataset}/tables/{table}"


def _batches(rows: pa.Table, columns: Mapping[str, Column]) -> Iterator[pa.RecordBatch]:
    """Yield rows as the API takes them, cut at the same places for every delivery."""
    kinds = {
        name: pa.timestamp("us", "UTC") if c.type == "TIMESTAMP" else arrow_type(c)
        for name, c in columns.items()
    }
    schema = pa.schema([pa.field(n, kind, nullable=not columns[n].required) for n, kind in kinds.items()])
    table = rows.select(schema.names).cast(schema).combine_chunks()
    each = max(1, int(_REQUEST / max(1, table.nbytes / table.num_rows)))
    yield from table.to_batches(max_chunksize=each)


def _requests(stream: str, batches: Sequence[pa.RecordBatch], offset: int) -> Iterator[Any]:
    for batch in batches:
        data = types.AppendRowsRequest.ArrowData(
            writer_schema=types.ArrowSchema(serialized_schema=batch.schema.serialize().to_pybytes()),
            rows=types.ArrowRecordBatch(serialized_record_batch=batch.serialize().to_pybytes()),
        )
        yield types.AppendRowsRequest(write_stream=stream, offset=offset, arrow_rows=data)
        offset += batch.num_rows


def _before(batches: Sequence[pa.RecordBatch], count: int) -> int:
    return sum(batch.num_rows for batch in batches[:count])
