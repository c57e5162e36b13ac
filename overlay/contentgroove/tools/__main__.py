"""Write `operations.json` anew: `python -m contentgroove.tools CONTRACT`, the contract being JSON or YAML."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from .documents import parse
from .operations import compile_document
from .servers import base_path, server_urls


def operations_file(contract: str) -> bytes:
    """Give the file's content for a contract's text."""
    document = parse(contract, "the contract")
    operations = compile_document(document, base_path(server_urls(document, None)), closed=True)
    return msgspec.json.format(msgspec.json.encode(operations), indent=1) + b"\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and its argument
        sys.exit("usage: python -m contentgroove.tools CONTRACT")
    Path(__file__).with_name("operations.json").write_bytes(operations_file(Path(sys.argv[1]).read_text("utf-8")))
