"""Compile the operations that the built-in tools are made from, ahead of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from contentgroove._openapi.operations import base_path, server_urls
from contentgroove.tools import SpecError
from contentgroove.tools.operations import compile_document
from contentgroove_spec.errors import PipelineError

if TYPE_CHECKING:
    from contentgroove_spec.documents import Document


def operations_file(contract: Document) -> bytes:
    """Return the file's content for a contract.

    Raises:
        PipelineError: The contract has an operation that cannot be a tool.
    """
    try:
        operations = compile_document(contract, base_path(server_urls(contract)), closed=True)
    except SpecError as error:
        raise PipelineError(f"The built-in tools cannot be made from the contract: {error}") from error
    return msgspec.json.format(msgspec.json.encode(operations), indent=1) + b"\n"
