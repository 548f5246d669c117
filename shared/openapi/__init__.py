"""An OpenAPI 3 document as a plain tree of what an answer may be. Not deployed.

::

    document = Document.read(Path("openapi.json"))
    document.paths                                # every path that has a GET, in the document's order
    operation = document.operation("/faction/members")
    operation.params                              # (Parameter(name, place, required, node, …), …)
    operation.body                                # a Node: what the answer of status 200 is
    body.properties["members"].element            # a Node: what one member is

A ``Node`` says what may stand at a place of the answer:

========  ==============================================================================
kind      what it is
========  ==============================================================================
object    ``properties``: name → Node, in the document's order
list      ``element``: what each of its elements is
map       ``element``: what each of its values is; its keys are data
scalar    ``types``: of integer, number, string, boolean; ``format``, ``enum``
json      anything else; ``why`` says why, ``variants`` what it may be if that is known
null      always null
========  ==============================================================================

``nullable``: it may be null. ``optional``: as a property, it may be missing. References are
followed, what contains itself is cut (``json``), variants (oneOf, anyOf) are united into the one
node that allows each of them, parts (allOf) are joined.

All that is wrong with a document is a ``FixConfiguration`` that names the file and the place.
``shared.openapi.draft`` makes an endpoint of an operation.
"""

from __future__ import annotations

from shared.openapi.document import Document, Operation, Parameter
from shared.openapi.node import Node

__all__ = ["Document", "Node", "Operation", "Parameter"]
