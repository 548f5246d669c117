"""The variables and outputs of infra/, as its README lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.cli.markdown import markdown
from shared.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["outputs", "variables"]

_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ARGUMENT = r"^  {} += (.+?)$(?=\n  \S|\n\n|\n\Z)"


def variables() -> str:
    """Return the variables: name, default, what each is."""
    rows = [
        (f"`{name}`", _default(body), _description(body))
        for name, body in _blocks("variable", "variables.tf")
    ]
    return markdown(("variable", "default", "what it is"), rows)


def outputs() -> str:
    """Return the outputs: name, what each is."""
    rows = [(f"`{name}`", _description(body)) for name, body in _blocks("output", "outputs.tf")]
    return markdown(("output", "what it is"), rows)


def _blocks(kind: str, file: str) -> Iterator[tuple[str, str]]:
    """Yield name and body of a file's blocks; `terraform fmt` holds the form that is read here."""
    text = (ROOT / "infra" / file).read_text(encoding="utf-8")
    return ((match[2], match[3]) for match in _BLOCK.finditer(text) if match[1] == kind)


def _argument(name: str, body: str) -> str:
    match = re.search(_ARGUMENT.format(name), body, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no {name} in:\n{body}"
    return " ".join(match[1].split())


def _default(body: str) -> str:
    return f"`{_argument('default', body)}`" if re.search("^  default ", body, re.MULTILINE) else "needed"


def _description(body: str) -> str:
    return _argument("description", body).strip('"').replace('\\"', '"')
