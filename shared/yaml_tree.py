"""YAML as plain data, with the line of every key and all that is no plain data noted.

Plain YAML keeps the last of two equal keys, reads ``on`` as true and ``2026-01-02`` as a date. Here
each of them is a mistake with a line, and the rest of the file is read all the same.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

__all__ = ["Problem", "YamlTree"]

#: A path of keys, and what was found there and what is allowed.
Problem = tuple[tuple[str, ...], str]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_SCALARS = {"str", "int", "float", "bool", "null"}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class YamlTree:
    """One YAML document: its data, and what is wrong with it before anyone looks at its meaning.

    Args:
        text: The file's content.

    Raises:
        yaml.YAMLError: not YAML.

    """

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._loader = _Loader(text)
        try:
            self._root = self._loader.get_single_node()
            self.data = None if self._root is None else self._plain(self._root, (), frozenset())
        finally:
            self._loader.dispose()

    def line(self, path: tuple[str, ...]) -> int:
        """Return the line of the key at ``path``, or of its nearest ancestor."""
        node, line = self._root, 1
        for part in path:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == part]
                if not found:
                    return line
                key, node = found[-1]
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
                node = node.value[int(part)]
                line = node.start_mark.line + 1
        return line

    def _plain(self, node: yaml.Node, path: tuple[str, ...], above: frozenset[int]) -> Any:
        if id(node) in above:
            self.problems.append((path, "leads back to itself"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, above | {id(node)})
        if isinstance(node, yaml.SequenceNode):
            inside = above | {id(node)}
            return [self._plain(item, (*path, str(n)), inside) for n, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(
        self, node: yaml.MappingNode, path: tuple[str, ...], above: frozenset[int]
    ) -> dict[str, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            text = key.value
            if not isinstance(text, str):
                continue
            if text in seen and text != "<<":
                line = key.start_mark.line + 1
                self.problems.append(((*path, text), f"stands twice, on lines {seen[text]} and {line}"))
            seen[text] = key.start_mark.line + 1
        self._loader.flatten_mapping(node)
        mapping = {}
        for key, value in node.value:
            if not isinstance(key.value, str):
                self.problems.append((path, "a list or mapping stands where a key should"))
            elif key.tag != f"{_TAG}str":
                self.problems.append(((*path, key.value), f'is not read as text; quote it: "{key.value}"'))
            elif _UNPRINTABLE.search(key.value):
                self.problems.append((path, f"the key {key.value!r} holds a line break or control character"))
            else:
                mapping[key.value] = self._plain(value, (*path, key.value), above)
        return mapping

    def _scalar(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if kind not in _SCALARS:
            what = "a date" if kind == "timestamp" else kind
            self.problems.append(
                (path, f'found {node.value}, which is read as {what}; quote it: "{node.value}"')
            )
            return node.value
        try:
            value = self._loader.construct_object(node)
        except ValueError:
            self.problems.append((path, f"found {node.value[:40]}, which is no number that can be read"))
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self.problems.append((path, f"found {node.value}; a plain number is allowed"))
            return 0.0
        return value
