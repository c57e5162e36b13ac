"""The report for code scanning: SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from contentgroove._version import __version__

from contentgroove_spec.rules import RULES

from .report import action_for, compared, groups, position_of, reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.changes import Change

    from .lines import SourceText
    from .report import Level, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
NOT_COMPARED = "not-compared"
"""The rule of parts that could not be compared."""

LEVELS: dict[Level, str] = {
    "breaking_for_you": "error",
    "breaking": "error",
    "safe": "note",
    "documentation": "none",
}
"""The level of results in SARIF. With coverage, what breaks others only is a warning."""


def as_sarif(report: Report) -> str:
    """Write a report for code scanning, one result for each change."""
    results = [result for part in compared(report) for result in _results(part)]
    used = {result["ruleId"] for result in results}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "contentgroove spec diff",
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in sorted(used)],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(name: str) -> dict[str, Any]:
    word = RULES[name].word if name in RULES else "a part that could not be compared"
    return {"id": name, "shortDescription": {"text": f"{name.replace('-', ' ').capitalize()} ({word})."}}


def _results(report: Report) -> Iterator[dict[str, Any]]:
    for group in groups(report):
        level = LEVELS[group.level]
        if group.level == "breaking" and report.affected is not None:
            level = "warning"
        for change in group.changes:
            text = f"{change.subject}: {change.what} {change.reason}"
            if group.level == "breaking_for_you":
                text += f" {action_for(change)}"
            properties = {
                "rating": change.rating.value,
                "uses": reached(change)[1] or [str(change.subject)],
            }
            result = _result(change.rule, level, text, position_of(report, change))
            yield result | _fingerprint(change.rule, _identity(change)) | {"properties": properties}
    for part in report.comparison.not_compared:
        text = f"{part.pointer or '/'} could not be compared: {part.reason}"
        result = _result(NOT_COMPARED, "warning", text, position_of(report, part))
        yield result | _fingerprint(NOT_COMPARED, f"{part.document} {part.pointer}")


def _identity(change: Change) -> str:
    return f"{change.subject.component} {change.old_pointer} {change.new_pointer} {change.what}"


def _file_uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _result(rule: str, level: str, text: str, position: tuple[SourceText, int] | None) -> dict[str, Any]:
    result = {"ruleId": rule, "level": level, "message": {"text": text}}
    if position is None:
        return result
    source, line = position
    # A URL stays one, and so does the name of a release.
    uri = _file_uri(source.name) if source.is_file else quote(source.name, safe=":/?#[]@!$&'()*+,;=%")
    region = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    return result | {"locations": [{"physicalLocation": region}]}


def _fingerprint(rule: str, identity: str) -> dict[str, Any]:
    """Return what makes a result the same in two runs."""
    return {"partialFingerprints": {"change/v1": hashlib.sha256(f"{rule} {identity}".encode()).hexdigest()}}
