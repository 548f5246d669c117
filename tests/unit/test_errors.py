"""Errors: the tree as it is drawn, and what each carries."""

from __future__ import annotations

import re

import pytest

from shared import errors
from shared.errors import BackOff, CollectError, EndpointInvalid, Permanent, Retryable, RetrySoon, StopKey

CLASSES = {name: getattr(errors, name) for name in errors.__all__}


def test_the_tree_is_drawn_as_it_is():
    """The docstring's tree has every class, each below its parent."""
    drawn, path = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"^ {4}([│├└─ ]*)([A-Z]\w+) {2,}\S", line)
        if match:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            drawn[match[2]] = path[depth - 1] if depth else "Exception"
    assert drawn == {name: kind.__base__.__name__ for name, kind in CLASSES.items()}


@pytest.mark.parametrize("kind", CLASSES.values())
def test_every_class_says_when_it_is_raised(kind):
    """One sentence each."""
    assert re.match(r"(Raise|Base of all errors)", kind.__doc__)


@pytest.mark.parametrize("kind", [k for k in CLASSES.values() if k is not CollectError])
def test_every_error_is_retried_or_not(kind):
    """Nothing is both, and nothing is neither."""
    assert issubclass(kind, Retryable) != issubclass(kind, Permanent)


def test_an_error_says_what_happened_and_what_to_do():
    """Message, then the next step; the code is kept apart."""
    error = StopKey("the key is dead", next_step="give another", code=2)
    assert str(error) == "the key is dead → give another"
    assert (error.message, error.next_step, error.code) == ("the key is dead", "give another", 2)
    assert str(RetrySoon("down")) == "down"


def test_a_limit_says_how_long_and_how_much():
    """How many seconds, and whether the whole host is meant."""
    error = BackOff("slow down", after=60, code=5)
    assert (error.after, error.everything, error.code) == (60, False, 5)
    assert BackOff("closed", after=1, everything=True).everything


def test_every_mistake_of_a_file_is_listed():
    """One line each, counted."""
    error = EndpointInvalid("f.yaml", ["line 1: a", "line 2: b"])
    assert str(error).startswith("f.yaml: 2 mistakes\n  line 1: a\n  line 2: b → ")
    assert error.problems == ["line 1: a", "line 2: b"]
    assert "1 mistake\n" in str(EndpointInvalid("f.yaml", ["x"]))
