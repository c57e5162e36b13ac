"""The JSON Schemas that docs/cli.md promises."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SCHEMAS: dict[str, Any] = {
    heading: json.loads(schema)
    for heading, schema in re.findall(r"^### (\w+)\n.*?^```json\n(.*?)^```$", _DOCUMENT, re.MULTILINE | re.DOTALL)
}


def check(name: str, data: Any) -> None:
    """Check data against the documentation, without further keys."""
    schema = {**SCHEMAS[name], "additionalProperties": False}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(data)
