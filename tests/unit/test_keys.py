"""Keys: where they come from, how long they are kept, and that they are never shown."""

from __future__ import annotations

import threading

import pytest

from shared.errors import FixConfiguration, RetrySoon, StopKey
from shared.keys import EnvironmentKeys, KeyRing, SecretManagerKeys, open_keys, variable
from shared.settings import Settings

KEY = "Sup3rSecretKey42"
DEAD = StopKey("Torn error 2: the key is incorrect", next_step="give another", code=2)


class Source:
    """Keys by name, counting how often they are read."""

    def __init__(self, **keys):
        self.keys = keys
        self.reads = 0

    def read(self, name):
        self.reads += 1
        key = self.keys[name]
        if isinstance(key, Exception):
            raise key
        return key


class Clock:
    now = -1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def source():
    return Source(k=KEY)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ring(source, clock):
    return KeyRing(source, ttl=300, clock=clock)


# The environment


def test_the_variable_is_the_name_in_capitals():
    """`torn-api-key` is TORN_API_KEY."""
    assert variable("torn-api-key") == "TORN_API_KEY"
    assert EnvironmentKeys({"TORN_API_KEY": KEY}).read("torn-api-key") == KEY


def test_a_line_end_is_no_part_of_a_key():
    """What `$(cat file)` or an .env file leaves around a key is taken off."""
    assert EnvironmentKeys({"K": f" {KEY}\r\n"}).read("k") == KEY


@pytest.mark.parametrize("environ", [{}, {"K": ""}, {"K": " \n"}])
def test_a_key_that_is_not_set(environ):
    """A missing key says which variable to set, and what to do without one."""
    with pytest.raises(StopKey, match="K is not set") as raised:
        EnvironmentKeys(environ).read("k")
    assert "simulate" in raised.value.next_step


@pytest.mark.parametrize("value", ["two words", "'quoted'", "schlüssel", "a\nb", "a-b", "²³"])
def test_what_is_no_key_is_refused_unseen(value):
    """A malformed key is not repeated: it may be one in part."""
    with pytest.raises(FixConfiguration, match="K holds is no API key") as raised:
        EnvironmentKeys({"K": value}).read("k")
    assert value not in f"{raised.value} {raised.value!r} {raised.value.__context__!r}"


def test_the_environment_is_read_anew_for_every_message():
    """A laptop's ring keeps no key: what the variable says now counts."""
    ring = open_keys(Settings.read({}))
    assert isinstance(ring._source, EnvironmentKeys)
    environ = {"K": "one"}
    ring = KeyRing(EnvironmentKeys(environ), ttl=0.0)
    assert ring.get("k") == "one"
    environ["K"] = "two"
    assert ring.get("k") == "two"


# The ring


def test_a_key_is_read_once_within_its_time(ring, source, clock):
    """The cache answers until the time is up, whatever the clock's zero is."""
    assert [ring.get("k") for _ in range(3)] == [KEY] * 3
    clock.now += 299.9
    ring.get("k")
    assert source.reads == 1
    clock.now += 0.1
    ring.get("k")
    assert source.reads == 2


def test_names_are_apart(ring, source):
    """Each name has its own key and its own fate."""
    source.keys["other"] = "Other1"
    ring.get("k")
    assert ring.get("other") == "Other1"
    ring.refused("k", KEY, DEAD)
    assert ring.get("other") == "Other1"


def test_a_dead_key_is_not_given_out_again(ring, clock):
    """The key that the API refused stays refused, with the API's own words, however old it grows."""
    ring.get("k")
    assert ring.refused("k", KEY, DEAD) is False
    for _ in range(3):
        with pytest.raises(StopKey, match="incorrect → give another") as raised:
            ring.get("k")
        assert raised.value.code == 2
        clock.now += 1000


def test_each_refusal_is_an_error_of_its_own(ring):
    """Errors are not raised twice: the second would carry the first one's frames."""
    ring.refused("k", KEY, DEAD)
    raised = []
    for _ in range(2):
        with pytest.raises(StopKey) as caught:
            ring.get("k")
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert DEAD not in raised


def test_a_rotated_key_takes_over_at_once(ring, source):
    """As soon as another key is stored it is used, without waiting for any age."""
    ring.get("k")
    source.keys["k"] = "New1"
    assert ring.refused("k", KEY, DEAD) is True
    assert ring.get("k") == "New1"


def test_a_key_that_is_replaced_after_its_refusal_is_taken_up_at_once(ring, source):
    """Between two messages a person stores a new key: the next message has it."""
    ring.refused("k", KEY, DEAD)
    with pytest.raises(StopKey):
        ring.get("k")
    source.keys["k"] = "New1"
    assert ring.get("k") == "New1"
    reads = source.reads
    assert ring.get("k") == "New1"
    assert source.reads == reads


def test_a_key_that_was_replaced_and_comes_back_gets_another_chance(ring, source):
    """A key that was paused may work again when it is stored anew after another."""
    ring.refused("k", KEY, DEAD)
    source.keys["k"] = "New1"
    ring.get("k")
    source.keys["k"] = KEY
    ring.refused("k", "New1", DEAD)
    assert ring.get("k") == KEY


def test_a_source_that_fails_is_asked_again(ring, source):
    """Failures are not kept."""
    source.keys["k"] = RetrySoon("down")
    with pytest.raises(RetrySoon):
        ring.get("k")
    source.keys["k"] = KEY
    assert ring.get("k") == KEY


def test_a_refusal_is_noted_even_when_the_source_fails(ring, source):
    """The dead key stays dead although nobody could say whether it was replaced."""
    ring.get("k")
    source.keys["k"] = RetrySoon("down")
    with pytest.raises(RetrySoon):
        ring.refused("k", KEY, DEAD)
    source.keys["k"] = KEY
    with pytest.raises(StopKey):
        ring.get("k")


def test_threads_that_come_together_make_one_read(clock):
    """One reads; the others wait for what it found."""
    entered, release = threading.Event(), threading.Event()

    class Slow(Source):
        def read(self, name):
            entered.set()
            release.wait(5)
            return super().read(name)

    source = Slow(k=KEY)
    ring = KeyRing(source, ttl=300, clock=clock)
    found = []
    threads = [threading.Thread(target=lambda: found.append(ring.get("k"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    release.set()
    for thread in threads:
        thread.join()
    assert found == [KEY] * 10
    assert source.reads == 1


# Never shown


def test_no_repr_shows_a_key(holders):
    """Neither str nor repr nor vars of anything that holds keys has one."""
    ring, environment, cloud = holders
    things = [ring, environment, cloud]
    text = " ".join(f"{thing} {thing!r} {vars(thing)!r}" for thing in things)
    assert KEY not in text


@pytest.fixture
def holders():
    environment = EnvironmentKeys({"K": KEY})
    ring = KeyRing(environment, ttl=300)
    ring.get("k")
    ring.refused("k", KEY, DEAD)
    cached = KeyRing(environment, ttl=300)
    cached.get("k")
    ring._other = cached._cached
    return ring, environment, SecretManagerKeys("projects/p/secrets/", environ={"K": KEY})
