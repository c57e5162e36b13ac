"""Remove each part of the published document that a correction relies on: `python -m tests.spec.corrections_trial`.

Each must be reported, and no correction may put it back. It takes about a minute; `test_fitting` has a sample.
"""

from __future__ import annotations

import collections
import copy
import sys
from pathlib import Path
from typing import Any

from contentgroove_spec.config import load_config
from pipeline.corrections import Corrections, read
from pipeline.locations import ABSENT, Location, find, item_name, pointer_to

ROOT = Path(__file__).parents[2]


def without(document: dict[str, Any], location: Location) -> dict[str, Any]:
    """A copy of a document that lacks what is at a location."""
    result = copy.deepcopy(document)
    parent = find(result, location[:-1])
    if isinstance(parent, list):
        names = [item_name(item, index) for index, item in enumerate(parent)]
        del parent[names.index(location[-1])]
    else:
        del parent[location[-1]]
    return result


def main() -> int:
    """Write the counts and each failure to stdout; return 1 if there are any."""
    config = load_config(ROOT / "spec" / "pipeline.toml")
    corrections, published = Corrections.load(config), read(config.published)
    record = corrections.record
    if record is None:
        sys.exit("error: there is no record: run make generate")
    known = {*record.shapes, *(location for location, value in record.values.items() if value is not ABSENT)}
    counts = collections.Counter[str]()
    failures: list[str] = []
    for location in sorted(known - {()}):
        corrected = corrections.correct(without(published, location))
        counts[" and ".join(sorted({item.status for item in corrected.problems})) or "not reported"] += 1
        if not corrected.problems:
            failures.append(f"{pointer_to(published, location)} was removed, and no correction says so")
        if find(corrected.contract, location) is not ABSENT:
            failures.append(f"{pointer_to(published, location)} was removed, and a correction puts it back")
    lines = [f"{counts.total()} locations, removed one at a time:"]
    lines += [f"  {count:4} {status}" for status, count in counts.most_common()]
    lines += failures or ["Each was reported, and none was put back."]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
