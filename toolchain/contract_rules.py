"""The tables of the contract checker's rules in `docs/contract.md`: `python -m toolchain.contract_rules` writes them.

They are made from the list in the code, and a test compares both.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from contentgroove_mock.contract.rules import RULES, BehaviourRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove_mock.contract.rules import RuleEntry

PAGE = Path(__file__).parents[1] / "docs" / "contract.md"
_BEGIN, _END = "<!-- rules -->\n", "<!-- end -->"


def with_tables(text: str) -> str:
    """Return the page with the tables of the rules of one exchange, and of a run."""
    of_runs = get_args(BehaviourRule)
    before, *parts = text.split(_BEGIN)
    for part, is_run in zip(parts, (False, True), strict=True):
        table = _table(entry for entry in RULES if (entry.name in of_runs) is is_run)
        before += f"{_BEGIN}{table}{_END}{part.partition(_END)[2]}"
    return before


def _table(entries: Iterable[RuleEntry]) -> str:
    lines = ["\n| rule | what it demands | source | entries of the ledger |", "|---|---|---|---|"]
    for entry in entries:
        links = ", ".join(f"[{name}](assumptions.md#{name})" for name in entry.assumptions)
        lines.append(f"| `{entry.name}` | {entry.statement} | {entry.source} | {links} |")
    return "\n".join(lines) + "\n\n"


def main() -> None:
    """Write the tables."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
