"""From a message to a request: what it asks for, what its run is called, and where it is kept."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import PurePosixPath

import msgspec
import pytest
from cloudevents.http import CloudEvent
from functions_framework.event_conversion import background_event_to_cloud_event
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as HttpRequest

from shared.archive import Archive
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import MessageRefused
from shared.message import ALL, GLOBAL, Request, divide, message_id, read_message
from shared.settings import Account

CRIMES = load_endpoint(find_endpoints()["crimes"])
ITEMS = load_endpoint(find_endpoints()["items"])
ONE = {"default": Account()}
TWO = {"red": Account(), "blue": Account()}
AT = "2026-11-20T10:22:33.123456789Z"
SCHEDULED = {"origin": "schedule"}


def encoded(data):
    if data is None or isinstance(data, str):
        return data
    return base64.b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).decode()


def pushed(data=None, attributes=None, number="12345678901", at=AT):
    """Return the event that functions-framework makes of a Pub/Sub push."""
    message = {"messageId": number, "publishTime": at, "data": encoded(data if data is not None else b"{}")}
    if attributes is not None:
        message["attributes"] = attributes
    builder = EnvironBuilder(
        method="POST",
        path="/projects/p/topics/crimes",
        json={"message": message, "subscription": "projects/p/subscriptions/crimes"},
    )
    try:
        return background_event_to_cloud_event(builder.get_request(HttpRequest))
    finally:
        builder.close()


def event(data, **attributes):
    """Return an event with any data at all."""
    return CloudEvent({"type": "t", "source": "s", "id": "777", "time": AT, **attributes}, data)


def read(data=None, *, endpoint=CRIMES, accounts=ONE, **more):
    return read_message(endpoint, accounts, pushed(data, **more))


def refused(data, **more):
    with pytest.raises(MessageRefused) as raised:
        read(data, **more)
    text = str(raised.value)
    assert len(text) < 600
    assert text.encode()
    return text


# What it asks for


@pytest.mark.parametrize("data", [b"{}", b"", b" \n", {}])
def test_an_empty_message_asks_for_all(data):
    """No body, an empty one and `{}` are the same: collect this endpoint now."""
    request = read(data)
    assert request == Request(
        endpoint="crimes",
        account="default",
        name="12345678901",
        message_id="12345678901",
        published_at=datetime(2026, 11, 20, 10, 22, 33, 123456, tzinfo=UTC),
    )
    assert request.run_id == "crimes/default/12345678901"
    assert request.folder == "crimes/default/2026-11-20/12345678901"


@pytest.mark.parametrize(
    ("every", "at", "slot"),
    [
        ("PT15M", "2026-11-20T10:22:33.5Z", "20261120T1015Z"),
        ("PT15M", "2026-11-20T10:15:00Z", "20261120T1015Z"),
        ("PT15M", "2026-11-20T10:14:59.999999999Z", "20261120T1000Z"),
        ("P1D", "2026-11-20T23:59:59Z", "20261120T0000Z"),
        ("PT1H30M", "2026-11-21T00:00:01Z", "20261121T0000Z"),
    ],
)
def test_a_scheduled_message_is_named_by_its_slot(every, at, slot):
    """The publish time, floored to `every`: a late or repeated message has the same name."""
    endpoint = msgspec.structs.replace(CRIMES, every=every)
    request = read(endpoint=endpoint, attributes=SCHEDULED, at=at)
    assert request.name == slot
    assert request.folder == f"crimes/default/{slot[:4]}-{slot[4:6]}-{slot[6:8]}/{slot}"
    assert request.slot is not None
    assert read(endpoint=endpoint, attributes=SCHEDULED, at=at, number="999").run_id == request.run_id


def test_a_scheduled_message_with_a_wish_is_one_of_its_own():
    """What asks for something else than the slot's run does not take the slot's name."""
    request = read({"params": {"cat": "planning"}}, attributes=SCHEDULED)
    assert (request.name, request.slot) == ("12345678901", None)


@pytest.mark.parametrize(
    "attributes", [None, {}, {"origin": "person"}, {"origin": None}, {"Origin": "schedule"}]
)
def test_any_other_message_is_named_by_its_number(attributes):
    """So that a person can always ask again."""
    assert read(attributes=attributes).name == "12345678901"


def test_overrides():
    """What the endpoint allows, with the types that a URL can take."""
    request = read({"params": {"cat": "planning", "filters": 5}})
    assert request.params == {"cat": "planning", "filters": 5}


def test_a_backfill_is_named_by_its_window():
    """The same window is the same run, whoever asks for it, however it is written, on whatever day."""
    data = {"from": "2026-10-01", "to": "2026-10-02T12:00:00+02:00"}
    request = read(data)
    assert request.name == "20261001T0000Z-20261002T1000Z"
    assert request.window == (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, 10, tzinfo=UTC))
    again = read(
        {"to": 1790935200, "from": 1790812800}, attributes=SCHEDULED, number="5", at="2026-12-24T00:00:00Z"
    )
    assert again.window == request.window
    assert (again.run_id, again.folder) == (request.run_id, request.folder)


def test_a_backfill_with_parameters_is_another_one():
    """Parameters are part of the name, in any order."""
    window = {"from": "2026-10-01", "to": "2026-10-02"}
    plain = read(window)
    one = read({**window, "params": {"cat": "a", "filters": "b"}})
    other = read({**window, "params": {"filters": "b", "cat": "a"}})
    third = read({**window, "params": {"cat": "a"}})
    assert one.run_id == other.run_id
    assert one.folder == other.folder
    assert len({plain.run_id, one.run_id, third.run_id}) == 3
    assert len({plain.folder, one.folder, third.folder}) == 3


def test_parameters_that_make_the_same_url_make_the_same_name():
    """`true` and the word for it are one wish."""
    window = {"from": "2026-10-01", "to": "2026-10-02"}
    assert read({**window, "params": {"cat": True}}).name == read({**window, "params": {"cat": "true"}}).name


def test_accounts():
    """The one there is, or the one that is named."""
    assert read().account == "default"
    assert read({"account": "blue"}, accounts=TWO).account == "blue"
    assert (
        read({"account": "blue"}, accounts=TWO, attributes=SCHEDULED).run_id == "crimes/blue/20261120T1015Z"
    )


def test_a_global_endpoint_has_no_account():
    """It is read once for all, however many accounts there are."""
    for data in ({}, {"account": GLOBAL}):
        request = read(data, endpoint=ITEMS, accounts=TWO, attributes=SCHEDULED)
        assert request.account == "global"
        assert request.run_id.startswith("items/global/")
    assert "read once for all" in refused({"account": "red"}, endpoint=ITEMS, accounts=TWO)


# What is refused


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no json", "not what is allowed"),
        (b"[]", "not what is allowed"),
        (b"null", "not what is allowed"),
        (b'"{}"', "not what is allowed"),
        (b'{"account": "\xff"}', "not what is allowed"),
        (b'{"account": "\\ud800"}', "not what is allowed"),
        (b"[" * 40_000, "not what is allowed"),
        ("not base64!", "not base64"),
        ("é", "not base64"),
        ({"acount": "red"}, "acount"),
        ({"account": 5}, "account"),
        ({"account": "nobody"}, "'nobody'; there are default"),
        ({"params": []}, "params"),
        ({"params": {"cat": None}}, "params"),
        ({"params": {"cat": ["a"]}}, "params"),
        ({"params": {"limit": 5}}, "'limit'; a message may set: cat, filters"),
        ({"params": {"key": "abc"}}, "'key'"),
        ({"params": {"timestamp": 5}}, "'timestamp'"),
        ({"params": {"cat": "a&key=b"}}, "characters other than"),
        ({"params": {"cat": "a/../b"}}, "characters other than"),
        ({"params": {"cat": "a\nb"}}, "characters other than"),
        ({"params": {"cat": "a\n"}}, "characters other than"),
        ({"params": {"cat": "x" * 101}}, "characters other than"),
        ({"from": "2026-10-01"}, "both"),
        ({"to": 5}, "both"),
        ({"from": "2026-10-02", "to": "2026-10-01"}, "before it begins"),
        ({"from": 5, "to": 5}, "before it begins"),
        ({"from": "yesterday", "to": 5}, "'yesterday', not unix seconds"),
        ({"from": 10**18, "to": 10**18 + 1}, "not unix seconds"),
        ({"from": "0001-01-01T00:00:00+05:00", "to": 5}, "not unix seconds"),
        ({"from": 1.5, "to": 5}, "from"),
        ({"from": True, "to": 5}, "from"),
        ({"from": "2026-10-02T00:00:00." + "0" * 5000, "to": "2026-10-01"}, "before it begins"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_an_endpoint_does_not_allow_is_refused(data, why):
    """The reason names the field, the next step shows what would be right."""
    text = refused(data)
    assert why in text
    assert "send {} or" in text


def test_a_window_is_refused_where_no_request_has_one():
    """An endpoint without history has no backfill."""
    assert "no request of this endpoint has one" in refused({"from": 1, "to": 2}, endpoint=ITEMS)


@pytest.mark.parametrize("attributes", [None, SCHEDULED], ids=["by-hand", "scheduled"])
def test_a_message_for_every_account_is_divided(attributes):
    """Its parts, whenever they are published, are runs named after the one message that was divided."""
    data = {} if attributes else {"params": {"cat": "successful"}}
    whole = pushed(data, attributes=attributes)
    request = read_message(CRIMES, TWO, whole)
    assert request.account == ALL
    parts = divide(request, TWO, whole)
    for account, part in zip(TWO, parts, strict=True):
        later = pushed(part.data, attributes=dict(part.attributes), number="999", at="2026-11-20T23:59:00Z")
        one = read_message(CRIMES, TWO, later)
        name = "20261120T1015Z" if attributes else "12345678901"
        assert one.run_id == f"crimes/{account}/{name}"
        assert (one.params, one.slot) == (request.params, request.slot)
        assert message_id(later) == "999"
        assert one.folder.split("/")[2] == "2026-11-20"


def test_a_window_for_every_account_is_divided():
    """A backfill of every account is a backfill for each."""
    window = {"from": "2026-10-01", "to": "2026-10-02"}
    whole = pushed(window)
    for part in divide(read_message(CRIMES, TWO, whole), TWO, whole):
        one = read_message(CRIMES, TWO, pushed(part.data, attributes=dict(part.attributes)))
        assert one.run_id == f"crimes/{one.account}/20261001T0000Z-20261002T0000Z"


def test_an_empty_message_for_every_account_is_divided():
    """Without data there is an account to add all the same."""
    whole = event({"message": {"messageId": "1", "publishTime": AT}})
    parts = divide(read_message(CRIMES, TWO, whole), TWO, whole)
    assert [json.loads(part.data) for part in parts] == [{"account": "red"}, {"account": "blue"}]


@pytest.mark.parametrize("value", ["a/b", "..", "", 5, None, "x" * 200, "é"])
def test_what_a_part_was_divided_from_cannot_lead_elsewhere(value):
    """A name from an attribute is held to what a run's name may be, as a message's number is."""
    whole = event({"message": {"messageId": "1", "publishTime": AT, "attributes": {"divided": value}}})
    name = read_message(CRIMES, ONE, whole).run_id.removeprefix("crimes/default/")
    assert name
    assert "/" not in name
    assert not name.startswith(".")


@pytest.mark.parametrize("size", [64 * 1024, 10 * 1024 * 1024])
def test_a_huge_message_is_refused(size):
    """Without being decoded."""
    assert "bytes of base64" in refused({"account": "x" * size})


def test_what_a_message_says_is_not_repeated_at_length():
    """A refusal is recorded and logged: it stays short and can be written."""
    refused({"account": "\ud800".encode("utf-8", "surrogatepass").hex() * 1000})
    refused({"params": {"\x00" * 500: 1}})
    refused({"x" * 5000: 1})


# Whatever comes

ANY_TEXT = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["\ud800", "\0", "../../x", "a/b", "a" * 5000]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "account": JSON | st.just("default"),
        "params": JSON | st.dictionaries(st.sampled_from(["cat", "filters", "key"]), JSON),
        "from": JSON,
        "to": JSON,
    },
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "messageId": JSON,
        "publishTime": JSON | st.datetimes().map(str),
        "attributes": JSON | st.just(SCHEDULED),
        "data": JSON | BODIES.map(lambda body: base64.b64encode(json.dumps(body).encode()).decode()),
    },
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(JSON, st.binary(), ENVELOPES.map(lambda m: {"message": m}), JSON.map(lambda m: {"message": m}))
)
def test_any_event_is_read_or_refused(data):
    """Whatever arrives makes a request or a refusal, never a crash that is delivered for ever."""
    arrived = event(data)
    assert message_id(arrived).isascii()
    try:
        request = read_message(CRIMES, ONE, arrived)
    except MessageRefused as error:
        str(error).encode()
        return
    assert request.run_id.encode()
    assert request.published_at.year >= 2000
    stays_inside(request.folder)


def stays_inside(folder):
    path = PurePosixPath(folder)
    assert len(path.parts) == 4
    assert str(path) == folder
    assert not {".", ".."} & set(path.parts)
    assert all(len(part.encode()) < 120 for part in path.parts)
    assert folder.isascii()
    assert folder.isprintable()


def named(name):
    return Request(
        endpoint="crimes",
        account="default",
        name=name,
        message_id="1",
        published_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


NAMES = ANY_TEXT | st.text("ab/-@.", max_size=4)


@settings(max_examples=500)
@given(NAMES, NAMES)
def test_different_names_are_different_folders(one, other):
    """No name leads out of the archive, and no two share a folder, whatever had to be replaced."""
    stays_inside(named(one).folder)
    assert (named(one).folder == named(other).folder) == (one == other)
    # Nor can a name be made that looks like what another one was turned into.
    turned = named(one).folder.rsplit("/", 1)[1]
    assert (named(turned).folder == named(one).folder) == (turned == one)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../etc",
        "/etc",
        "a/b",
        "a\0b",
        "a\nb",
        "x" * 5000,
        "\ud800",
        "é",
        "a\\b",
        "-",
        "%2e%2e",
    ],
)
def test_the_archive_takes_every_folder(name, tmp_path):
    """What had to be replaced is a name that the store can keep."""
    archive = Archive(f"file:{tmp_path}/archive")
    assert archive.manifest(named(name).folder) is None
    archive._create(f"{named(name).folder}/manifest.json", b"{}")
    assert len(list((tmp_path / "archive/crimes/default/2026-11-20").iterdir())) == 1


def test_ordinary_names_stay_readable():
    """A slot, a window and a message's number stand in the path as they are."""
    for name in ("20261120T1015Z", "20261001T0000Z-20261101T0000Z", "12345678901", "a.b_c-d"):
        assert named(name).folder == f"crimes/default/2026-11-20/{name}"
    long = read({"from": "2026-10-01", "to": "2026-10-02", "params": {"cat": "a b"}})
    assert long.folder.startswith("crimes/default/2026-10-01/20261001T0000Z-20261002T0000Z-cat-a-b@")


def test_a_message_without_a_number_has_the_events():
    """A direct call has no Pub/Sub message: the event's own id names the run."""
    assert message_id(event({"message": {}})) == "777"
    assert message_id(event(None)) == "777"
    assert read_message(CRIMES, ONE, event({"message": {"data": ""}})).name == "777"


@pytest.mark.parametrize(
    "at", [None, "", "nonsense", 5, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00", [], {}]
)
def test_an_impossible_publish_time_is_now(at):
    """As the framework does when there is none."""
    before = datetime.now(UTC)
    message = {"messageId": "1", "publishTime": at, "attributes": SCHEDULED}
    request = read_message(CRIMES, ONE, event({"message": message}, time="nonsense"))
    assert before <= request.published_at <= datetime.now(UTC)


def test_the_events_time_stands_in_for_the_publish_time():
    """An event that is no Pub/Sub push still has a time."""
    assert read_message(CRIMES, ONE, event({"message": {}})).published_at.minute == 22
