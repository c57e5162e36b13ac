"""The ledger of assumptions in a checkout: who refers to its entries, its page, and the verdicts that are kept in it.

`python -m toolchain.assumptions page` writes `docs/assumptions.md`; `keep FILE` takes over the verdicts of a report of
`contentgroove doctor --verify --report FILE`, and writes the page. Tests compare the page, and `relied_on` of each
entry, with what is referred to: `assumed: ID, ID` in code and pages, `x-assumes: [ID]` in the corrections.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from contentgroove._core.settings import is_loopback
from contentgroove.verification.ledger import FILE, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove.verification.ledger import Area, Assumption, Kind, Strength

ROOT = Path(__file__).parents[1]
LEDGER = ROOT / "overlay" / "contentgroove" / "verification" / FILE
PAGE = ROOT / "docs" / "assumptions.md"

_SOURCES = (
    "README.md",
    "docs/*.md",
    "mockserver/contentgroove_mock/**/*.py",
    "overlay/contentgroove/**/*.py",
    "spec/contentgroove_spec/**/*.py",
    "spec/corrections.overlay.yaml",
    "spec/pipeline/*.py",
)
_ID = r"[a-z0-9]+(?:-[a-z0-9]+)+"
_REFERENCE = re.compile(rf"\bassumed:\s+({_ID}(?:,\s+{_ID})*)|x-assumes: \[({_ID}(?:, {_ID})*)\]")
_LINE_START = re.compile(r"\n[ \t]*(?:#+(?:!|:)?[ \t]*)?")
_INTRODUCTION = """\
# What is assumed about the service

<!-- Written by `python -m toolchain.assumptions page` from overlay/contentgroove/verification/assumptions.toml. -->

The live service was never reached when this was written. Everything that the SDK, the contract and the simulator \
assume beyond a plain reading of the published document is an entry of a ledger, \
`contentgroove/verification/assumptions.toml`. \
Code and pages refer to an entry as `assumed: ID`. The tables say what is assumed, and how well it is supported; the \
list at the end has the evidence of each entry, what relies on it, and what breaks if it is wrong.

`contentgroove doctor --verify` checks the entries against the service that your key reaches; \
[cli.md](cli.md#doctor---verify) describes it. In a checkout, \
`python -m toolchain.assumptions keep report.json` keeps the verdicts of its report here, and names those that it \
leaves out: about an entry or a statement that this version does not have, or older than the kept one.

A new assumption is an entry with a check in `overlay/contentgroove/verification/`, and a case in \
`tests/verification/turned.py` in which a service does the opposite.
"""
_STRENGTHS: dict[Strength, str] = {
    "prose": "the published document states it in words",
    "example": "an example or a schema of the published document shows it",
    "outside": "someone else's public program, written with an account, depends on it",
    "convention": "a library or standard that the document names or resembles does it",
    "guess": "nothing supports it; something had to be chosen",
}
_AREAS: dict[Area, str] = {
    "keys": "The API key",
    "responses": "All responses",
    "lists": "Lists: pages and order",
    "filters": "Lists: filters",
    "uploads": "Uploads and the file store",
    "requests": "Requests that are refused",
    "medias": "Medias",
    "clips": "Clips",
    "webhooks": "Subscriptions and webhooks",
    "limits": "Limits",
}
_KINDS: dict[Kind, str] = {
    "reading": "`doctor --verify`",
    "writes": "`doctor --verify --writes`",
    "callback": "`doctor --verify --writes --callback-url URL`",
    "none": "a client cannot check it",
}


def sources() -> Iterator[Path]:
    """Yield the files that may refer to entries."""
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path != PAGE and "_sync" not in path.parts:
                yield path


def plain_text(path: Path) -> str:
    """Return a file's text without the starts of lines that comments and docstrings have."""
    return _LINE_START.sub(" ", path.read_text(encoding="utf-8"))


def references() -> dict[str, set[str]]:
    """Return the files that refer to each id, by their path in the repository."""
    found: dict[str, set[str]] = {}
    for path in sources():
        for match in _REFERENCE.finditer(plain_text(path)):
            for identifier in re.split(r",\s+", match[1] or match[2]):
                found.setdefault(identifier, set()).add(path.relative_to(ROOT).as_posix())
    return found


def page(ledger: dict[str, Assumption]) -> str:
    """Return the page about a ledger."""
    strengths = Counter(entry.evidence[0].strength for entry in ledger.values())
    kinds = Counter(entry.check for entry in ledger.values())
    verdicts = Counter(entry.verified.verdict for entry in ledger.values() if entry.verified)
    lines = [_INTRODUCTION, f"{len(ledger)} entries, by their strongest evidence:", ""]
    lines += ["| evidence | entries | meaning |", "|---|---|---|"]
    lines += [f"| {name} | {strengths[name]} | {meaning} |" for name, meaning in _STRENGTHS.items()]
    lines += ["", "By what checks them:", "", "| check | entries | command |", "|---|---|---|"]
    lines += [f"| {name} | {kinds[name]} | {meaning} |" for name, meaning in _KINDS.items()]
    kept = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    lines += ["", f"Verdicts that were kept: {kept or 'none, because no service was ever checked'}.", ""]
    for area, title in _AREAS.items():
        own = {identifier: entry for identifier, entry in ledger.items() if entry.area == area}
        lines += [f"## {title}", "", "| entry | what is assumed | evidence | check | status |", "|---|---|---|---|---|"]
        lines += [_row(identifier, entry) for identifier, entry in own.items()]
        lines += [""]
    lines += ["## What each entry rests on, and what rests on it", ""]
    lines += [_details(identifier, entry) for identifier, entry in ledger.items()]
    return "\n".join([*lines, ""])


def _row(identifier: str, entry: Assumption) -> str:
    cells = (
        f"[{identifier}](#{identifier})",
        entry.statement,
        entry.evidence[0].strength,
        entry.check,
        f"**{entry.verified.verdict}** on {entry.verified.on}" if entry.verified else "not checked",
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _details(identifier: str, entry: Assumption) -> str:
    """Return one line with everything that the table leaves out."""
    sources = "; ".join(f"{item.strength}, {item.source}" for item in entry.evidence)
    parts = [f"Evidence: {sources}.", f"If it is wrong: {entry.if_wrong}"]
    parts += [f"Relied on by {', '.join(f'`{name}`' for name in entry.relied_on)}."]
    if entry.untried:
        parts += [f"A client cannot check it: {entry.untried}"]
    if entry.verified:
        parts += [f"{entry.verified.verdict.capitalize()} with version {entry.verified.version}: {entry.verified.seen}"]
    return f'- <a id="{identifier}"></a>**{identifier}** {" ".join(parts)}'


class _Verdict(NamedTuple):
    verdict: str
    seen: str
    statement: str


def keep(text: str, report: Any) -> tuple[str, list[str]]:
    """Return a ledger's text with the verdicts of a report, and why some of them were not kept.

    What was not tried keeps its earlier verdict. A verdict is about a statement, so one about another is not kept.

    Raises:
        ValueError: It is not a report, or one about a simulator on this machine, which proves nothing.
    """
    host, day, version, verdicts = _read_report(report)
    if is_loopback(host):
        raise ValueError(f"The report is about {host}: what a simulator does proves nothing about the service.")
    known, left_out = read_ledger(text), list[str]()
    for identifier, found in verdicts.items():
        entry = known.get(identifier)
        if entry is None:
            left_out.append(f"{identifier}: the ledger has no such entry; the report is of another version.")
        elif entry.statement != found.statement:
            left_out.append(f"{identifier}: its statement is another than in the report; check it again.")
        elif entry.verified is not None and entry.verified.on > day:
            left_out.append(f"{identifier}: the ledger has a later verdict, of {entry.verified.on}.")
        else:
            text = _with_line(text, identifier, _verified_line(found, day, version))
    read_ledger(text)
    return text, left_out


def _verified_line(found: _Verdict, day: dt.date, version: str) -> str:
    members = {"verdict": _quoted(found.verdict), "on": day, "version": _quoted(version), "seen": _quoted(found.seen)}
    return f"verified = {{ {', '.join(f'{name} = {value}' for name, value in members.items())} }}"


def _read_report(report: Any) -> tuple[str, dt.date, str, dict[str, _Verdict]]:
    try:
        verdicts = {
            str(item["id"]): _Verdict(str(item["verdict"]), str(item["seen"]), str(item["statement"]))
            for item in cast("list[dict[str, object]]", report["results"])
            if item["verdict"] in {"confirmed", "refuted"}
        }
        host = urlsplit(str(report["base_url"])).hostname or ""
        day = dt.datetime.fromisoformat(str(report["date"])).date()
        return host, day, str(report["package"]).removeprefix("contentgroove "), verdicts
    except (KeyError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__} at {error}"
        raise ValueError(
            f"This is not a whole report of `contentgroove doctor --verify --report`: {problem}."
        ) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged, or no report: {error}. Write it again with --report.") from error


def _keep(path: Path) -> None:
    """Keep the verdicts of a file in the ledger.

    Raises:
        ValueError: None of them can be kept.
    """
    before = LEDGER.read_text(encoding="utf-8")
    kept, left_out = keep(before, _read_json(path))
    for reason in left_out:
        print(f"not kept: {reason}", file=sys.stderr)  # noqa: T201 - a command line prints
    if left_out and kept == before:
        raise ValueError("Nothing was kept.")
    LEDGER.write_text(kept, encoding="utf-8", newline="\n")


def _quoted(text: str) -> str:
    # A JSON string is a basic string of TOML.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _with_line(text: str, identifier: str, line: str) -> str:
    start = text.index(f"[{identifier}]\n")
    end = text.find("\n\n", start)
    end = len(text.rstrip("\n")) if end < 0 else end
    lines = [each for each in text[start:end].split("\n") if not each.startswith("verified = ")]
    return text[:start] + "\n".join([*lines, line]) + text[end:]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.assumptions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("page", help="write docs/assumptions.md")
    keeping = commands.add_parser("keep", help="keep the verdicts of a report in the ledger")
    keeping.add_argument("report", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        if options.command == "keep":
            _keep(options.report)
        PAGE.write_text(page(read_ledger(LEDGER.read_text(encoding="utf-8"))), encoding="utf-8", newline="\n")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
