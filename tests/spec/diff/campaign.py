"""Compares many documents: `python -m tests.spec.diff.campaign OLD [NEW]`, two folders or one.

With two folders, the documents of the same name are compared; with one, each is compared with itself and with a copy in
which some parts were changed or broken at random. Printed are the crashes, the slowest and the largest comparisons, and
the counts; the exit status is 1 if a comparison crashed, or found a difference between a document and itself.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import resource
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import DocumentError, check_version, parse
from contentgroove_spec.compare import compare
from contentgroove_spec.fetching import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN: tuple[Any, ...] = (None, 3, "text", [], {}, True, {"$ref": "#/components/schemas/nothing"}, {"$ref": 1})
SHOWN = 5


@dataclass
class Trial:
    """One comparison.

    Attributes:
        name: The document's name.
        kind: What it was compared with.
        seconds: The time of the comparison and of finding all uses.
        changes: The number of changes.
        uses: The number of their uses.
        not_compared: The number of parts that could not be compared.
        crash: The traceback if it crashed.
    """

    name: str
    kind: str
    seconds: float = 0.0
    changes: int = 0
    uses: int = 0
    not_compared: int = 0
    crash: str = ""


def changed(document: dict[str, Any], seed: int, *, rate: float = 0.01, broken: bool = False) -> dict[str, Any]:
    """Return a copy of a document in which parts were removed or, if they are to be broken, replaced at random."""
    chance = random.Random(seed)  # noqa: S311 - for repeatable trials
    result = copy.deepcopy(document)
    pending: list[Any] = [result]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            for name in list(value):
                if chance.random() < rate and value is not result:
                    if broken:
                        value[name] = copy.deepcopy(chance.choice(BROKEN))
                    else:
                        del value[name]
            pending.extend(value.values())
        elif isinstance(value, list):
            if value and chance.random() < rate:
                value.pop(chance.randrange(len(value)))
            pending.extend(value)
    return result


def pairs(old: Path, new: Path | None, every: int) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield what is compared: the document's name, the kind of the pair, and both documents."""
    for path in sorted(old.rglob("*.json"), key=lambda found: -found.stat().st_size)[::every]:
        name = path.relative_to(old).as_posix()
        before = read(path)
        if before is None:
            continue
        if new is not None:
            after = read(new / name) if (new / name).is_file() else None
            if after is not None and after != before:
                yield name, "release", before, after
            continue
        seed = sum(name.encode())
        yield name, "itself", before, copy.deepcopy(before)
        yield name, "changed", before, changed(before, seed)
        yield name, "broken", before, changed(before, seed, rate=0.002, broken=True)


def read(path: Path) -> dict[str, Any] | None:
    """Read a document; None if it is not an OpenAPI 3 document."""
    try:
        document = parse(path.read_bytes(), path.name, LIMITS)
        check_version(document, path.name)
    except DocumentError:
        return None
    return document


def tried(name: str, kind: str, old: dict[str, Any], new: dict[str, Any]) -> Trial:
    """Compare two documents."""
    trial = Trial(name, kind)
    start = time.perf_counter()
    try:
        comparison = compare(old, new)
        trial.uses = sum(len(change.uses) for change in comparison.changes)
        trial.changes, trial.not_compared = len(comparison.changes), len(comparison.not_compared)
        if kind == "itself" and comparison.changes:
            trial.crash = f"differs from itself: {comparison.changes[0].what}"
    except Exception:  # noqa: BLE001 - a crash is what is looked for
        trial.crash = traceback.format_exc()
    trial.seconds = time.perf_counter() - start
    return trial


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="?")
    parser.add_argument("--every", type=int, default=1, help="compare only each n-th document")
    options = parser.parse_args(arguments)
    trials: list[Trial] = []
    for name, kind, old, new in pairs(options.old, options.new, options.every):
        trials.append(tried(name, kind, old, new))
        if trials[-1].crash:
            print(f"{name}, {kind}: {trials[-1].crash}", flush=True)  # noqa: T201 - a program prints
    crashes = [trial for trial in trials if trial.crash]
    summary = {
        "comparisons": Counter(trial.kind for trial in trials),
        "crashed": len(crashes),
        "with parts not compared": sum(trial.not_compared > 0 for trial in trials),
        "changes": sum(trial.changes for trial in trials),
        "uses": sum(trial.uses for trial in trials),
        "seconds": round(sum(trial.seconds for trial in trials), 1),
        "slowest": [
            f"{trial.name}, {trial.kind}: {trial.seconds:.1f} s, {trial.changes} changes, {trial.uses} uses"
            for trial in sorted(trials, key=lambda trial: -trial.seconds)[:SHOWN]
        ],
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(summary, indent=2))  # noqa: T201 - a program prints
    return bool(crashes)


if __name__ == "__main__":
    sys.exit(main())
