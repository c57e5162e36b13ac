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
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from contentgroove._core.settings import is_loopback
from contentgroove.verification.ledger import FILE, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove.verification.ledger import Assumption, Kind, Strength

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
Code and pages refer to an entry as `assumed: ID`.

`contentgroove doctor --verify` checks the entries against the service that your key reaches; \
[cli.md](cli.md#doctor---verify) describes it. In a checkout, \
`python -m toolchain.assumptions keep report.json` keeps the verdicts of its report here.

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
    lines += ["", "By what checks them:", "", "| check | entries |", "|---|---|"]
    lines += [f"| {meaning} | {kinds[name]} |" for name, meaning in _KINDS.items()]
    kept = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    lines += ["", f"Verdicts that were kept: {kept or 'none, because no service was ever checked'}.", ""]
    for identifier, entry in ledger.items():
        lines += [f"## {identifier}", "", entry.statement, ""]
        lines += [f"- Evidence ({item.strength}): {item.source}" for item in entry.evidence]
        lines += [f"- Relied on by: {', '.join(f'`{name}`' for name in entry.relied_on)}"]
        lines += [f"- If it is wrong: {entry.if_wrong}", f"- Checked by: {_checked_by(entry)}"]
        if entry.verified:
            verified = entry.verified
            lines += [f"- **{verified.verdict}** on {verified.on} with version {verified.version}: {verified.seen}"]
        lines += [""]
    return "\n".join(lines)


def _checked_by(entry: Assumption) -> str:
    return f"{_KINDS[entry.check]}. {entry.untried}" if entry.untried else _KINDS[entry.check]


def keep(text: str, report: Any) -> str:
    """Return a ledger's text with the verdicts of a report; what was not tried keeps its earlier verdict.

    Raises:
        ValueError: It is not a report, or one about a simulator on this machine, which proves nothing.
    """
    host, day, version, verdicts = _read_report(report)
    if is_loopback(host):
        raise ValueError(f"The report is about {host}: what a simulator does proves nothing about the service.")
    known = read_ledger(text)
    for identifier, (verdict, seen) in verdicts.items():
        if identifier not in known:
            raise ValueError(f"The ledger has no entry {identifier}: the report is of another version.")
        members = {"verdict": _quoted(verdict), "on": day, "version": _quoted(version), "seen": _quoted(seen)}
        line = f"verified = {{ {', '.join(f'{name} = {value}' for name, value in members.items())} }}"
        text = _with_line(text, identifier, line)
    read_ledger(text)
    return text


def _read_report(report: Any) -> tuple[str, dt.date, str, dict[str, tuple[str, str]]]:
    try:
        verdicts = {
            str(item["id"]): (str(item["verdict"]), str(item["seen"]))
            for item in cast("list[dict[str, object]]", report["results"])
            if item["verdict"] in {"confirmed", "refuted"}
        }
        host = urlsplit(str(report["base_url"])).hostname or ""
        day = dt.datetime.fromisoformat(str(report["date"])).date()
        return host, day, str(report["package"]).removeprefix("contentgroove "), verdicts
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"This is not a report of `contentgroove doctor --verify --report`: {error}.") from error


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
            kept = keep(LEDGER.read_text(encoding="utf-8"), json.loads(options.report.read_text(encoding="utf-8")))
            LEDGER.write_text(kept, encoding="utf-8", newline="\n")
        PAGE.write_text(page(read_ledger(LEDGER.read_text(encoding="utf-8"))), encoding="utf-8", newline="\n")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
