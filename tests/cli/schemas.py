"""The JSON Schemas in docs/cli.md and docs/webhooks.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs

DOCS = Path(__file__).parents[2] / "docs"
# Within one section: no heading is between its own and the block.
SCHEMA = re.compile(r"^### (\w+)\n(?:(?!#)[^\n]*\n)*?```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMAS: dict[str, Any] = {
    heading: json.loads(schema)
    for page in ("cli.md", "webhooks.md")
    for heading, schema in SCHEMA.findall((DOCS / page).read_text(encoding="utf-8"))
}


def check(name: str, data: Any) -> None:
    """Check data against the documentation, without further keys."""
    schema = {**SCHEMAS[name], "additionalProperties": False}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(data)
