"""Compare the public cases of other tools: `python -m tests.spec.diff.public oasdiff=FOLDER openapi_diff=FOLDER`.

A folder is a checkout of the tool's repository. Without a folder, the figures of the committed lists are printed. The
exit status is 1 if a rating is not the one of its list, or a rule of oasdiff is not as `oasdiff_rules.yaml` has it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove_spec import PipelineError
from contentgroove_spec.compare import compare

from .kinds import rules_of_source
from .lists import NAMES, CaseList, Verdict, figures, oasdiff_rules, read_list, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .kinds import Rule
    from .lists import Case


def main(arguments: Sequence[str]) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m tests.spec.diff.public", description=__doc__)
    parser.add_argument("folders", nargs="*", metavar="NAME=FOLDER", help=f"NAME: {', '.join(NAMES)}")
    parser.add_argument("--all", action="store_true", help="print every disagreement, also those with a reason")
    options = parser.parse_args(arguments)
    if not options.folders:
        for row in figures():
            sys.stdout.write(" | ".join(row) + "\n")
        return 0
    unlisted = 0
    for folder in options.folders:
        name, _, path = folder.partition("=")
        if name not in NAMES or not path:
            parser.error(f"{folder!r} must be NAME=FOLDER, where NAME is one of: {', '.join(NAMES)}.")
        unlisted += compare_list(read_list(name), Path(path), print_all=options.all)
        if name == "oasdiff":
            unlisted += compare_rules(oasdiff_rules(), rules_of_source(Path(path)))
    return int(unlisted > 0)


def compare_list(cases: CaseList, checkout: Path, *, print_all: bool) -> int:
    """Compare the cases of one tool, print the figures, and return the number of ratings that are not in the list."""
    counts: Counter[str] = Counter()
    unlisted = 0
    for case in cases.cases:
        outcome, detail = _compare_case(case, checkout / cases.folder)
        counts[outcome] += 1
        unlisted += outcome != case.listed
        if outcome != case.listed or (print_all and outcome != Verdict.AGREES):
            reason = case.reason if outcome == case.listed else f"the list says: {case.listed}"
            sys.stdout.write(f"{cases.name}: {case.name}: {outcome} ({case.theirs}): {detail} [{reason}]\n")
    agree = 100 * counts[Verdict.AGREES] / len(cases.cases)
    others = ", ".join(f"{counts[outcome]} {outcome}" for outcome in (*list(Verdict)[1:], "refused", "crashed"))
    sys.stdout.write(
        f"{cases.name}: {len(cases.cases)} cases, {counts[Verdict.AGREES]} agree ({agree:.1f} %), {others}\n"
    )
    return unlisted


def compare_rules(listed: Mapping[str, Rule], found: Mapping[str, Rule]) -> int:
    """Print the rules of which the list and the tool's source differ, and return their number."""
    different = sorted(id_ for id_ in {*listed, *found} if listed.get(id_) != found.get(id_))
    for id_ in different:
        sys.stdout.write(f"oasdiff: rule {id_}: the list has {listed.get(id_)}, the source {found.get(id_)}\n")
    sys.stdout.write(f"oasdiff: {len(found)} rules, {len(different)} differ from the list\n")
    return len(different)


def _compare_case(case: Case, folder: Path) -> tuple[str, str]:
    """Return the outcome of one case, and what this engine reports."""
    old, new = case.documents(folder)
    try:
        comparison = compare(old, new)
    except PipelineError as error:
        return "refused", str(error)
    except Exception as error:  # noqa: BLE001 - a crash is one of the outcomes that are counted
        return "crashed", f"{type(error).__name__}: {error}"
    changes = comparison.changes
    found = "; ".join(f"{change.rating} {change.what}" for change in changes[:4]) or "nothing"
    return verdict(case.theirs, changes[0].rating if changes else None), found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
