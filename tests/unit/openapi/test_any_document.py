"""Of any document, however its schemas are nested, an endpoint is made that keeps what they allow."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from support.any_body import STYLES, Bodies
from support.any_rows import CONSTANTS, found_rows, wanted_rows

from shared.flatten import Flattener
from shared.torn import ENVELOPE

pytestmark = pytest.mark.unmeasured

SCALARS = [
    {"type": "integer", "format": "int32"},
    {"type": "integer", "format": "int64"},
    {"type": "number"},
    {"type": "string"},
    {"type": "boolean"},
    {"type": "string", "format": "date"},
    {"enum": ["a", "b"], "type": "string"},
    {"type": ["integer", "null"], "format": "int32"},
    {"type": "object"},
    {"oneOf": [{"type": "integer", "format": "int32"}, {"type": "string"}]},
    {"oneOf": [{"type": "integer", "format": "int32"}, {"type": "number"}, {"type": "null"}]},
    {"type": "null"},
]
INEXACT = "cannot be kept exactly as FLOAT"
NAMES = ["a", "b", "a_b", "camelCase", "items", "until", "1st", "with space", "name", "value", "key", "ä"]


class Schemas:
    """Makes schemas of every construct, nested in each other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def any(self, depth: int) -> dict[str, Any]:
        pick = self._random.random()
        if depth == 0 or pick < 0.4:
            return dict(self._random.choice(SCALARS))
        if pick < 0.55:
            return self.object(depth - 1)
        if pick < 0.7:
            return {"type": "array", "items": self.any(depth - 1)}
        if pick < 0.78:
            return {"type": "object", "additionalProperties": self.any(depth - 1)}
        if pick < 0.94:
            several = [self.any(depth - 1) for _ in range(self._random.randint(1, 3))]
            return {"oneOf": [*several, *([{"type": "null"}] if pick < 0.86 else [])]}
        return {"allOf": [self.object(depth - 1, names="pqr"), self.object(depth - 1, names="xyz")]}

    def object(self, depth: int, names: Any = NAMES) -> dict[str, Any]:
        chosen = self._random.sample(list(names), self._random.randint(1, min(5, len(names))))
        return {
            "type": "object",
            "properties": {name: self.any(depth) for name in chosen},
            "required": [name for name in chosen if self._random.random() < 0.7],
        }


@pytest.mark.parametrize("seed", range(150))
def test_every_value_of_every_body_of_any_document_is_kept(make, seed):
    """Made-up documents: each value of each allowed body is in a row, none is refused, none unforeseen."""
    schema = Schemas(seed).object(4)
    made = make(schema)
    answer = {"200": {"content": {"application/json": {"schema": schema}}}}
    bodies = Bodies({"paths": {"/x": {"get": {"responses": answer}}}}, seed)
    (request,) = made.endpoint.requests
    for name, style in STYLES.items():
        if style.extras:
            continue
        for body in bodies.variants("/x", style):
            flattener = Flattener(made.endpoint, request, envelope=ENVELOPE)
            flat = flattener.page(json.dumps(body).encode(), CONSTANTS)
            if flat.rejected:
                # The one refusal that is meant: where it may be a fraction, a huge integer has no column.
                assert {r.reason.partition(" ")[2] for r in flat.rejected} == {INEXACT}, (name, body)
                continue
            assert found_rows(made.endpoint, flat.batches) == wanted_rows(made.endpoint, body), (name, body)
            assert flattener.drift == {}, (name, body)
