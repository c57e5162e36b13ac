"""The report as GitHub's workflow commands, which a run shows next to the lines of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .report import action_for, compared, groups, headline, position_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .lines import SourceText
    from .report import Level, Report

COMMANDS: dict[Level, str] = {
    "breaking_for_you": "error",
    "breaking": "error",
    "safe": "notice",
    "documentation": "notice",
}


def as_annotations(report: Report) -> str:
    """Write a report as workflow commands, one for each change; the headline is the first.

    GitHub shows at most ten of each kind for a step, so that what breaks the app comes first.
    """
    return "".join(f"{line}\n" for part in compared(report) for line in _lines(part))


def _lines(report: Report) -> Iterator[str]:
    comparison = report.comparison
    yield _command("notice", f"{comparison.old} → {comparison.new}: {headline(report)}", report.title or "API document")
    for group in groups(report):
        command = COMMANDS[group.level]
        if group.level == "breaking" and report.affected is not None:
            command = "warning"
        for change in group.changes:
            action = f" {action_for(change)}" if group.level == "breaking_for_you" else ""
            text = f"{change.subject}: {change.what} {change.reason}{action}"
            yield _command(command, text, group.title, position_of(report, change))
    for part in comparison.not_compared:
        text = f"{part.pointer or '/'}: {part.reason}"
        yield _command("warning", text, "Not compared", position_of(report, part))


def _command(command: str, text: str, title: str, position: tuple[SourceText, int] | None = None) -> str:
    properties = [f"title={_property(title)}"]
    if position is not None and position[0].is_file:
        properties = [f"file={_property(position[0].name)}", f"line={position[1]}", *properties]
    return f"::{command} {','.join(properties)}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
