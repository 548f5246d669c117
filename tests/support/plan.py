"""What Terraform plans, as tests ask for it: by block, by kind, or as it is written down."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LATER", "Plan"]

#: What a value is that only the cloud knows.
LATER = "(known after apply)"

#: What the cloud gives a function, within a block that the configuration says.
_GIVEN = {"build", "gcf_uri", "service", "uri"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What Terraform would make in an empty project: address → its values, and where each value is said."""

    resources: dict[str, dict[str, Any]]
    configured: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, text: str) -> Plan:
        """Read what ``terraform show -json`` says."""
        document = json.loads(text)
        resources = {
            change["address"]: _later(change["change"]["after"], change["change"].get("after_unknown"))
            for change in document["resource_changes"]
            if change["mode"] == "managed"
        }
        root = document["configuration"]["root_module"]
        return cls(resources, {one["address"]: one.get("expressions", {}) for one in root["resources"]})

    def each(self, block: str) -> dict[str, dict[str, Any]]:
        """Return a block's resources by their keys in for_each; by "" where there is but one."""
        found = {}
        for address, values in self.resources.items():
            match = re.fullmatch(rf'{re.escape(block)}(?:\["(.*)"\])?', address)
            if match:
                found[match[1] or ""] = values
        return found

    def one(self, block: str) -> dict[str, Any]:
        """Return the only resource of a block."""
        (found,) = self.each(block).values()
        return found

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all resources of a type, by address."""
        return {name: values for name, values in self.resources.items() if name.startswith(f"{kind}.")}

    def said(self) -> dict[str, Any]:
        """Return every resource with the values that the configuration gives it, less what is empty."""
        return {
            address: _tidy(_chosen(values, self.configured[address.split("[")[0]]))
            for address, values in sorted(self.resources.items())
        }


def _later(values: Any, unknown: Any) -> Any:
    """Return values, and where only the cloud knows them, that it does."""
    if unknown is True:
        return LATER
    if isinstance(values, dict):
        hidden = unknown if isinstance(unknown, dict) else {}
        return {key: _later(values.get(key), hidden.get(key)) for key in values.keys() | hidden.keys()}
    if isinstance(values, list):
        hidden = unknown if isinstance(unknown, list) else []
        return [_later(value, hidden[at] if at < len(hidden) else None) for at, value in enumerate(values)]
    return values


def _chosen(values: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a configuration gives a resource, with its blocks.

    A dynamic block is not in the plan's configuration, so that every block stays which is there.
    """
    return {
        key: value
        for key, value in values.items()
        if key in said or (isinstance(value, list) and value != [])
    }


def _tidy(value: Any) -> Any:
    """Return a value in order, without what is empty or the cloud's; texts of JSON opened."""
    if isinstance(value, dict):
        tidied = {key: _tidy(one) for key, one in sorted(value.items()) if key not in _GIVEN}
        return {key: one for key, one in tidied.items() if one is not None and one not in ({}, [])}
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if isinstance(value, str) and value[:1] + value[-1:] in {"[]", "{}"}:
        return json.loads(value)
    return value
