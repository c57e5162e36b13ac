"""The coverage report as one self-contained HTML page: no script, no font, no network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove_mock.coverage.matrix import CoverageMatrix, Row

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
    facts = (("Query", row.query), ("Sent", row.request_fields), ("Read", row.response_fields))
    html = "".join(
        f"<p>{name}: {', '.join(f'<code>{escape(item)}</code>' for item in items)}</p>"
        for name, items in facts
        if items
    )
    return f"<details><summary>{escape(row.name)}</summary>{html or '<p>called without parameters</p>'}</details>"


def _listed(items: Iterable[str]) -> str:
    html = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{html}</ul>" if html else "<p>none</p>"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "not"
