"""Parameters that stand in a path: where their values come from, and what may stand there."""

from __future__ import annotations

import pytest
from cloudevents.http import CloudEvent
from fixtures.flat import HEAD, write
from support.framework import push_body

from shared.archive import Archive
from shared.endpoint_file import load_endpoint
from shared.errors import EndpointInvalid, MessageRefused
from shared.fetch import Fetcher
from shared.keys import EnvironmentKeys, KeyRing
from shared.message import read_message
from shared.settings import Account, Settings

TABLES = "tables:\n  t: {columns: {n: {type: INTEGER, from: n}}}\n"


def first_url(endpoint, data=b"{}"):
    settings = Settings.read({})
    event = CloudEvent({"type": "t", "source": "s"}, push_body(data, message_id="1"))
    keys = KeyRing(EnvironmentKeys({}))
    fetcher = Fetcher(endpoint, settings, Archive("file:/nowhere"), keys, lambda _page, _number: None)
    return fetcher.first_url("one", read_message(endpoint, {"default": Account()}, event))


def requests(path, params="", overridable=""):
    one = f"requests:\n  one: {{path: '{path}', params: {{{params}}}}}\n"
    return load_endpoint(write(f"{HEAD}overridable: [{overridable}]\n{one}{TABLES}"))


def test_a_value_from_params_stands_in_the_path_alone() -> None:
    """It is no query parameter too; the others are."""
    endpoint = requests("/faction/{id}/basic", "id: 42, cat: all")
    assert first_url(endpoint) == "/faction/42/basic?cat=all"


def test_a_message_can_give_the_value() -> None:
    """Where the endpoint lists it; several ids stand with commas between."""
    endpoint = requests("/torn/{ids}/items", overridable="ids")
    assert first_url(endpoint, b'{"params": {"ids": "1,2,3"}}') == "/torn/1,2,3/items"


def test_a_message_replaces_the_value() -> None:
    """The message's value counts."""
    endpoint = requests("/faction/{id}/basic", "id: 42", overridable="id")
    assert first_url(endpoint, b'{"params": {"id": 43}}') == "/faction/43/basic"


def test_a_message_without_the_value_is_refused() -> None:
    """The refusal names the parameter and where it stands."""
    endpoint = requests("/faction/{id}/basic", overridable="id")
    with pytest.raises(MessageRefused, match=r"does not set 'id', which stands in /faction/\{id\}/basic"):
        first_url(endpoint)


@pytest.mark.parametrize("value", ["..", "1/2", "a b", "1?x", "", ".", "%2e", "é", "1" * 101])
def test_a_message_cannot_lead_elsewhere(value: str) -> None:
    """No dots, slashes and the like: the path stays the one that was declared."""
    endpoint = requests("/faction/{id}/basic", "id: 42", overridable="id")
    with pytest.raises(MessageRefused, match="'id'"):
        first_url(endpoint, f'{{"params": {{"id": "{value}"}}}}'.encode())


@pytest.mark.parametrize(
    ("path", "params", "says"),
    [
        ("/faction/{id}/basic", "", r"\{id\} has no value"),
        ("/faction/{id}/basic", "id: ../user", "letters, digits"),
        ("/faction/{id/basic", "id: 1", "stands there as"),
        ("/faction/{}/basic", "", "stands there as"),
    ],
)
def test_a_file_says_what_stands_there(path: str, params: str, says: str) -> None:
    """A placeholder without a value, with a bad one, or half written is a mistake of the file."""
    with pytest.raises(EndpointInvalid, match=says):
        requests(path, params)
