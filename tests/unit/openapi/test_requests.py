"""The request of a new endpoint: parameters, pages and window as the document describes them."""

from __future__ import annotations

import pytest

INTEGER = {"type": "integer", "format": "int32"}
NEXT = {"type": ["string", "null"]}
LIST = {"type": "array", "items": {"type": "object", "properties": {"id": INTEGER}, "required": ["id"]}}


def answer(*, links=True, required=True):
    """Return a body with a list, and with links to further pages if asked."""
    inner = {"type": "object", "properties": {"next": NEXT, "prev": NEXT}, "required": ["next", "prev"]}
    metadata = {"type": "object", "properties": {"links": inner}, "required": ["links"]}
    return {
        "type": "object",
        "properties": {"things": LIST, **({"_metadata": metadata} if links else {})},
        "required": ["things", *(["_metadata"] if links and required else [])],
    }


def param(name, place="query", *, required=False, description="", **schema):
    return {
        "name": name, "in": place, "required": required or place == "path", "description": description,
        "schema": schema or {"type": "string"},
    }  # fmt: skip


def the_request(made):
    (request,) = made.endpoint.requests.values()
    return request


def test_a_paged_list_with_from_and_to_has_a_window(make):
    """All pages of all that is new: limit at its maximum, newest first, a window, a lookback of `every`."""
    made = make(
        answer(),
        parameters=[
            param("limit", type="integer", default=20, maximum=100),
            param("sort", enum=["DESC", "ASC"]),
            param("from", type="integer"),
            param("to", type="integer"),
            param("timestamp"),
            param("comment"),
            param("key"),
            param("offset", type="integer"),
            param("striptags", enum=["true", "false"]),
            param("filters", type="array", items={"enum": ["a", "b"]}),
        ],
    )
    request = the_request(made)
    assert request.params == {"limit": 100, "sort": "DESC", "striptags": True}
    assert (request.pages, request.lookback, made.endpoint.every) == ("links", "P1D", "P1D")
    assert (request.window.from_, request.window.to) == ("from", "to")
    assert made.endpoint.overridable == ["filters"]
    assert any("lookback" in decision for decision in made.draft.decisions)


@pytest.mark.parametrize(
    ("body", "pages"), [(answer(links=False), "none"), (answer(required=False), "none"), (answer(), "links")]
)
def test_pages_are_followed_only_where_every_answer_has_links(make, body, pages):
    """An answer that may lack its links must not fail the run."""
    assert the_request(make(body)).pages == pages


def test_from_and_to_without_pages_are_no_window(make):
    """Without pages nothing says that all of a window comes."""
    made = make(answer(links=False), parameters=[param("from"), param("to")])
    assert the_request(made).window is None


def test_a_limit_without_a_maximum_is_left_to_the_api(make):
    """Nothing is made up."""
    made = make(answer(), parameters=[param("limit", type="integer", minimum=1), param("sort", enum=["ASC"])])
    assert the_request(made).params == {}


def test_a_parameter_in_the_path_is_left_to_a_person(make):
    """The YAML is valid and says TODO; a message may set it; the terminal says so too."""
    path = "/faction/{id}/things"
    made = make(answer(), path=path, parameters=[param("id", "path", description="Whose <b>things</b>.")])
    assert the_request(made).path == path
    assert the_request(made).params == {}
    assert made.endpoint.overridable == ["id"]
    assert "# TODO: id (Whose things) has no value." in made.text
    assert "id has no value: give it under params, or with every message" in made.draft.decisions


def test_a_value_that_a_person_gives_is_taken(make):
    """A decided parameter stands under params and is no TODO; a message may still set another."""
    path = "/faction/{id}/things"
    made = make(answer(), path=path, parameters=[param("id", "path")], given={"id": 123})
    assert the_request(made).params == {"id": 123}
    assert made.endpoint.overridable == ["id"]
    assert "TODO:" not in made.text


@pytest.mark.parametrize(("values", "chosen"), [(["main", "attack"], "main"), (["current", "all"], "all")])
def test_a_required_choice_is_made_and_told(make, values, chosen):
    """All of it if there is such a value, else the first; the others are told."""
    made = make(answer(), parameters=[param("cat", required=True, enum=values)])
    assert the_request(made).params == {"cat": chosen}
    assert f"# Proposed: cat is one of {', '.join(values)}." in made.text
    assert any("params: cat" in decision for decision in made.draft.decisions)


def test_a_required_value_that_cannot_be_guessed_is_a_todo(make):
    """A required parameter without listed values has none, and says so."""
    made = make(answer(), parameters=[param("log", required=True)])
    assert the_request(made).params == {}
    assert "log has no value: give it under params, or with every message" in made.draft.decisions


def test_a_path_of_several_answers_asks_which(make):
    """`selections` is not required, but nothing sensible comes without it: it is a TODO."""
    made = make(answer(), parameters=[param("selections")])
    assert "selections has no value: give it under params, or with every message" in made.draft.decisions
    assert made.endpoint.overridable == ["selections"]


@pytest.mark.parametrize(
    ("path", "scope"),
    [("/faction/x", "account"), ("/user/x", "account"), ("/company/x", "account"), ("/key/x", "account"),
     ("/property/x", "account"), ("/torn/x", "global"), ("/market/x", "global"), ("/racing/x", "global"),
     ("/forum/x", "global")],
)  # fmt: skip
def test_scope(make, path, scope):
    """What is the same for everyone is read once for all."""
    assert make(answer(), path=path).endpoint.scope == scope


def test_the_access_level_is_in_the_description(make):
    """Summary and description, in one line."""
    made = make(answer(), summary="Get your things", description="Requires limited access key. <br>")
    assert made.endpoint.description == "Get your things. Requires limited access key."
