"""Run the comparison of Redocly's command line, an npm package (extra `spec`)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from contentgroove_mock.npm import NpmError, PinnedPackage, child_environment, node_program

from . import PipelineError

if TYPE_CHECKING:
    from .documents import Document

_HERE = Path(__file__).parent
_PACKAGE = PinnedPackage("redocly", _HERE / "npm" / "package-lock.json", _HERE.parent / "redocly" / "package-lock.json")
install_dir = _PACKAGE.install_dir
_SCRIPT = Path("node_modules", "@redocly", "cli", "bin", "cli.js")
_ARGUMENTS = ("diff", "old.json", "new.json", "--format=json", "--fail-on=none")
_SECONDS = 120.0
# Without these, Redocly sends telemetry and asks npm for a newer version at each run.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}


class Finding(TypedDict):
    """One difference, as Redocly reports it."""

    path: str
    kind: str
    typeName: str
    property: str | None
    major: bool
    messages: list[str]
    rules: list[str]
    old: Any
    new: Any


def compare(old: Document, new: Document) -> list[Finding]:
    """Compare two canonical documents with Redocly.

    Raises:
        PipelineError: Node or Redocly is missing and cannot be installed, or Redocly failed.
    """
    with tempfile.TemporaryDirectory(prefix="spec-diff-") as folder:
        for name, document in (("old.json", old), ("new.json", new)):
            Path(folder, name).write_text(json.dumps(document), encoding="utf-8", newline="\n")
        try:
            done = subprocess.run(  # noqa: S603 - our own Node and Redocly
                [node_program(), install_dir() / _SCRIPT, *_ARGUMENTS],
                cwd=folder,
                env={**child_environment(), **_QUIET},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except NpmError as error:
            raise PipelineError(f"Documents cannot be compared: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise PipelineError(f"Redocly did not compare the documents within {_SECONDS:g} s.") from error
    try:
        report: Document = json.loads(done.stdout)
    except ValueError as error:
        reason = " ".join((done.stderr or done.stdout).split())[:400]
        raise PipelineError(f"Redocly could not compare the documents: {reason}") from error
    return [_finding(change) for change in cast("list[Document]", report["changes"])]


def _finding(change: Document) -> Finding:
    verdicts = cast("list[Document]", change["verdicts"])
    return Finding(
        path=str(change["path"]),
        kind=str(change["kind"]),
        typeName=str(change["typeName"]),
        property=change.get("property"),
        major=change["impact"] == "major",
        messages=[str(verdict["message"]) for verdict in verdicts],
        rules=[str(verdict["ruleId"]) for verdict in verdicts],
        old=change.get("base", {}).get("value"),
        new=change.get("revision", {}).get("value"),
    )
