"""Which code decodes JSON or YAML, and what keeps a deeply nested text from ending the process there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from toolchain.structure import ROOT, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = {"check_levels", "protect_stack", "check_value_levels", "_check_size"}

CHECKED_ELSEWHERE = {
    "contentgroove._models.base": "models are parts of bodies whose levels were checked when they arrived",
    "contentgroove._models.partial_documents": "parts of a body that `_members` of the same module has checked",
    "contentgroove._models.partial_structs": "parts of a body whose levels were checked before it was read partly",
    "contentgroove._openapi.documents": "`parse` checks JSON, and counts the levels of YAML by its events",
    "contentgroove._openapi.shared_values": "parts of a text whose levels `read_json` of the same module has checked",
    "contentgroove.webhooks.events": "`parse_event` checks the levels of each body",
    "contentgroove.webhooks.sql": "the names of handlers, as this library wrote them",
    "contentgroove.tools.operation_tools": "a file of this package",
    "contentgroove_mock.contract.checker": "a file of this package",
    "contentgroove_mock.contract.values": "`duplicate_key` gets what `decode_json` of the same module has decoded",
    "contentgroove_mock.simulator.web.control": "the route that calls these decoders checks the levels",
    "contentgroove_mock.contract.asgi": "a response of Prism, which this package starts",
    "contentgroove_mock.document_mock": "a document that this package has just read",
    "contentgroove_mock.coverage.session": "what another process of the same test run wrote",
    "contentgroove_spec.documents": "single scalars, and what this module has just written",
}
"""Modules that decode without a check beside it, and the reason."""

SHIPPED = ("contentgroove.", "contentgroove_mock.", "contentgroove_spec.")

NOT_SHIPPED = "contentgroove_mock.recording"


def decoding(function: ast.AST) -> bool:
    """Whether code decodes JSON or YAML."""
    return any(is_decoder(node) for node in ast.walk(function) if isinstance(node, ast.Call))


def is_decoder(call: ast.Call) -> bool:
    """Whether a call decodes JSON or YAML: `bytes.decode` has no argument or the name of an encoding."""
    text = ast.unparse(call.func)
    if text in {"json.loads", "json.load", "msgspec.json.decode", "yaml.load", "yaml.parse"}:
        return True
    is_codec = "getincrementaldecoder" in text
    return text.endswith(".decode") and not is_codec and ("decoder(" in text or text.lower().endswith("decoder.decode"))


def unchecked(source: str) -> Iterator[str]:
    """Yield the functions that decode without a check of the levels."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and decoding(node):
            called = {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
            if not called & CHECKS:
                yield node.name


def test_levels_are_checked_before_text_is_decoded() -> None:
    """In the same function, or for a reason that is written down; no reason outlives its code."""
    found = {
        name: list(unchecked(path.read_text(encoding="utf-8")))
        for name, path in modules().items()
        if name.startswith(SHIPPED) and not name.startswith(NOT_SHIPPED)
    }
    assert {name for name, functions in found.items() if functions} == set(CHECKED_ELSEWHERE), found
    generated = (ROOT / "generated/contentgroove_api/types.py").read_text(encoding="utf-8")
    assert list(unchecked(generated)) == []


@pytest.mark.parametrize(
    "statement",
    ["json.loads(body)", "msgspec.json.decode(body, type=int)", "decoder(int).decode(body)", "_DECODER.decode(body)"],
)
def test_a_decoder_without_a_check_is_found(statement: str) -> None:
    """However it is called."""
    assert list(unchecked(f"def read(body):\n    return {statement}\n")) == ["read"]
    assert list(unchecked(f"def read(body):\n    check_levels(body)\n    return {statement}\n")) == []
    assert list(unchecked("def read(body):\n    return body.decode()\n")) == []
