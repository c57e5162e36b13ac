"""Coverage reports: JSON, JUnit's XML, one HTML page, and a table for the terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from contentgroove_mock.coverage.matrix import CoverageMatrix, Row

VERSION = 1
"""The version of the JSON report; new members may be added without a new version."""

_MAX_LISTED = 5
_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d8de, #3a3f4a); --dim: light-dark(#5b6270, #9aa3b2);
  --seen: light-dark(#d6f2dd, #1d4a2b); --unseen: light-dark(#fbe3c4, #5a3b12); --wrong: light-dark(#f9d0d0, #6a2020); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .dim, caption { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; } caption { text-align: left; padding-bottom: .5rem; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: center; }
th[scope=row] { text-align: left; font-weight: 500; } th small { display: block; color: var(--dim); font-weight: 400; }
td.seen { background: var(--seen); } td.unseen { background: var(--unseen); } td.wrong { background: var(--wrong); }
progress { width: 100%; max-width: 30rem; height: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
li { overflow-wrap: anywhere; } details { margin: .4rem 0; }
"""


def json_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as JSON, for tools that check whether a change of the contract matters.

    Members: `version`, `contract` (its SHA-256), `percent`, `covered`, `total`, `missing`, `operations` (those that
    were called: `method`, `path`, `statuses`, `query`, `request_fields`, `response_fields`, `query_values`,
    `request_values`), `webhooks`, `faults`, `violations`. Fields are JSON pointers with `*` for the items of lists.
    `response_fields` are those that the application read from the SDK's models of that kind; values are those that
    were sent and that the contract lists.
    """
    operations: dict[str, object] = {}
    for row in matrix.rows:
        if row.call_count:
            statuses = sorted({**row.documented, **row.undocumented}.items())
            operations[row.name] = {
                "method": row.method,
                "path": row.path,
                "statuses": {status: {"calls": times} for status, times in statuses if times},
                "query": row.query,
                "request_fields": row.request_fields,
                "response_fields": row.response_fields,
                **({"query_values": row.query_values} if row.query_values else {}),
                **({"request_values": row.request_values} if row.request_values else {}),
            }
    delivered = [event for event in matrix.events if event.deliveries]
    report = {
        "version": VERSION,
        "contract": matrix.contract,
        "percent": matrix.percent,
        "covered": matrix.covered_count,
        "total": matrix.total,
        "missing": matrix.missing,
        "operations": operations,
        "webhooks": {event.name: {"deliveries": event.deliveries, "fields": event.fields} for event in delivered},
        "faults": matrix.faults,
        "violations": matrix.violations,
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def junit_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as JUnit's XML: a test case for each documented response and webhook, skipped if not seen."""
    suite = ET.Element("testsuite", name="contentgroove contract coverage")
    suite.set("tests", str(matrix.total + len(matrix.violations)))
    suite.set("skipped", str(len(matrix.missing)))
    suite.set("failures", str(len(matrix.violations)))
    suite.set("errors", "0")
    cases = [(row.name, status, times) for row in matrix.rows for status, times in row.documented.items()]
    cases += [("webhook", event.name, event.deliveries) for event in matrix.events]
    for group, name, times in cases:
        case = ET.SubElement(suite, "testcase", classname=group, name=name, time="0")
        if not times:
            ET.SubElement(case, "skipped", message="not seen in this run")
    for number, violation in enumerate(matrix.violations, 1):
        case = ET.SubElement(suite, "testcase", classname="violation", name=str(number), time="0")
        failure = ET.SubElement(case, "failure", message=_printable(violation.partition("\n")[0]))
        failure.text = _printable(violation)
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def html_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as an HTML page."""
    statuses = matrix.statuses
    head = "".join(f'<th scope="col">{escape(status)}</th>' for status in statuses)
    rows = "\n".join(_row(row, statuses) for row in matrix.rows)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contract coverage: {matrix.percent:g} %</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Contract coverage</h1>
<p>{matrix.covered_count} of {matrix.total} documented responses and webhooks seen:
<strong>{matrix.percent:g} %</strong></p>
<progress value="{matrix.covered_count}" max="{matrix.total}">{matrix.percent:g} %</progress>
<p class="dim">Contract <code>{escape(matrix.contract[:12])}</code></p>
{_violations(matrix)}
<h2>Responses</h2>
<div class="wide"><table>
<caption>How often each documented status was received. “none” was not seen; an empty cell is not documented.</caption>
<thead><tr><th scope="col">operation</th>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
<h2>Webhooks</h2>
{_listed(f"{event.name}: {_times(event.deliveries)} delivered" for event in matrix.events)}
<h2>Faults</h2>
{_listed(f"{name}: {_times(times)}" for name, times in matrix.faults.items())}
<h2>Not seen</h2>
{_listed(matrix.missing)}
<h2>What was used</h2>
{"".join(_used(row) for row in matrix.rows if row.call_count) or "<p>nothing</p>"}
</body>
</html>
"""


def table_lines(matrix: CoverageMatrix) -> Iterator[str]:
    """Yield the lines of a table: `·` is not documented, `-` documented and not seen, a number counts responses."""
    statuses = matrix.statuses
    width = max(len(name) for name in ("operation", *(row.name for row in matrix.rows)))
    yield f"{'operation':<{width}}  " + " ".join(f"{status:>4}" for status in statuses)
    for row in matrix.rows:
        cells: list[str] = []
        for status in statuses:
            if status in row.documented:
                cells.append(str(row.documented[status] or "-"))
            else:
                cells.append(f"{row.undocumented[status]}!" if status in row.undocumented else "·")
        yield f"{row.name:<{width}}  " + " ".join(f"{cell:>4}" for cell in cells)
    for event in matrix.events:
        yield f"webhook {event.name}: {f'{event.deliveries} delivered' if event.deliveries else 'not delivered'}"
    if matrix.faults:
        yield "faults: " + ", ".join(f"{name} ({times})" for name, times in matrix.faults.items())
    if any(row.undocumented for row in matrix.rows):
        yield "(! is a status that the contract does not document)"
    if 0 < len(matrix.missing) <= _MAX_LISTED:
        yield f"not seen: {', '.join(matrix.missing)}"
    yield f"{matrix.covered_count} of {matrix.total} documented responses and webhooks seen: {matrix.percent:g} %"


def write(matrix: CoverageMatrix, path: Path) -> None:
    """Write a report in the format of the file's suffix."""
    text = format_of(path)(matrix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def format_of(path: Path) -> Callable[[CoverageMatrix], str]:
    """Return the report function for a file's suffix; raise `ValueError` if it is not a known format."""
    formats = {".json": json_report, ".xml": junit_report, ".html": html_report, ".htm": html_report}
    if path.suffix not in formats:
        raise ValueError(f"{path}: the suffix must be .json, .xml (JUnit) or .html")
    return formats[path.suffix]


def _printable(text: str) -> str:
    # XML 1.0 cannot contain most control characters.
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)


def _row(row: Row, statuses: list[str]) -> str:
    cells: list[str] = []
    for status in statuses:
        if status in row.undocumented:
            cells.append(f'<td class="wrong" title="not documented">{row.undocumented[status]}</td>')
        elif status not in row.documented:
            cells.append("<td></td>")
        elif row.documented[status]:
            cells.append(f'<td class="seen">{row.documented[status]}</td>')
        else:
            cells.append('<td class="unseen">none</td>')
    path = f"<small>{escape(row.method)} {escape(row.path)}</small>"
    return f'<tr><th scope="row">{escape(row.name)}{path}</th>{"".join(cells)}</tr>'


def _violations(matrix: CoverageMatrix) -> str:
    if not matrix.violations:
        return "<p>Nothing violated the contract.</p>"
    html = "\n".join(f"<pre>{escape(violation)}</pre>" for violation in matrix.violations)
    return f"<h2>Violations</h2>\n{html}"


def _used(row: Row) -> str:
    html = ""
    for name, items in (("Query", row.query), ("Sent", row.request_fields), ("Read", row.response_fields)):
        if items:
            html += f"<p>{name}: {', '.join(f'<code>{escape(item)}</code>' for item in items)}</p>"
    return f"<details><summary>{escape(row.name)}</summary>{html or '<p>called without parameters</p>'}</details>"


def _listed(items: Iterable[str]) -> str:
    html = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{html}</ul>" if html else "<p>none</p>"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "not"
