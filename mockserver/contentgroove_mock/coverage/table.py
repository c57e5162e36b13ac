"""The coverage report for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.coverage.matrix import CoverageMatrix

_MAX_LISTED = 5


def lines(matrix: CoverageMatrix) -> Iterator[str]:
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
