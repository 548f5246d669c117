"""Whatever a document holds is written as YAML that reads as it was; names are what names may be."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.openapi.draft import endpoint_name, name_problem
from shared.openapi.emit import value
from shared.openapi.naming import Names, singular, snake
from shared.yaml_tree import YamlTree

WORDS = st.sampled_from(
    ["yes", "no", "null", "~", "1", "1.0", "2026-01-01", "<<", "=", "- a", "a: b", "a #b", "None"]
)
TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), WORDS)
VALUES = st.one_of(TEXTS, st.integers(), st.booleans())


@given(st.dictionaries(st.sampled_from(["a", "b", "enum"]), st.one_of(VALUES, st.lists(VALUES)), min_size=1))
def test_values_read_as_they_were_written(found):
    """Any text, number or list in YAML's flow style comes back the same, as the same type."""
    text = f"key: {value(found)}  # note\n"
    assert len(text.splitlines()) == 1
    tree = YamlTree(text)
    assert tree.problems == []
    assert tree.data == {"key": found}
    assert yaml.safe_load(text) == {"key": found}


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_words_make_a_name(parts):
    """A name is lower-case, begins with a letter, and fits; the same words give the same name."""
    name = Names().give(*parts)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name)
    assert Names().give(*parts) == name


@given(st.lists(st.text(), min_size=2, max_size=30))
def test_every_place_has_a_name_of_its_own(words):
    """However alike they are, no two places share a name."""
    names = Names(["field"])
    given_ = [names.give(word) for word in words]
    assert len({*given_, "field"}) == len(words) + 1


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("slots", "slot"), ("properties", "property"), ("bonuses", "bonus"), ("boxes", "box"), ("s", "s"),
        ("classes", "class"), ("children", "child"), ("status", "status"), ("news", "news"), ("item", "item"),
        ("analysis", "analysis"),
    ],
)  # fmt: skip
def test_one_of_several(several, one):
    """Rows and indexes are called by what one of them is."""
    assert singular(several) == one


def test_words_of_a_name_are_parted():
    """Camel case and symbols part words; a digit in front gets a letter."""
    assert snake("forumThreads") == "forum_threads"
    assert snake("HTTPCode", "x-y z") == "http_code_x_y_z"
    assert snake("24h") == "n_24h"
    assert snake("") == "field"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/faction/attacks", "faction_attacks"),
        ("/faction/{id}/basic", "faction_id_basic"),
        ("/user/{crimeId}/crimes", "user_crime_id_crimes"),
        ("/user/revivesFull", "user_revives_full"),
        ("/property", "property_endpoint"),
        ("/" + "long/" * 30, "long_" * 12 + "lon"),
    ],
)
def test_an_endpoint_is_called_after_its_path(path, name):
    """The name is the path's; what would hide a word of Python's in main.py gets another."""
    assert endpoint_name(path) == name
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name", ["", "Attacks", "1st", "a-b", "a" * 64, "import", "property", "collector", "a/b", ".."]
)
def test_names_that_no_endpoint_can_have(name):
    """Folder, function and topic all bear it, and it must not hide what main.py uses."""
    assert name_problem(name) is not None
