"""Holds the requests of tools to a referee: openapi-core reads back what was written, and must find the arguments.

`python -m tests.tools.referee FOLDER` compiles documents of others, as `tests.tools.documents` does, and builds three
requests for each operation: with what is required only, with everything, and with values that are hard to write.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
import traceback
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contentgroove.tools.source_documents import FILE_LIMITS, compile_source

from tests.tools.referee.judging import Court, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable


class Trial(NamedTuple):
    """What became of one document."""

    name: str
    verdicts: list[Verdict]
    seconds: float
    problem: str = ""


def choose(folder: Path, count: int, seed: int) -> list[Path]:
    """Choose documents, of as many publishers as possible: large ones publish hundreds that are much alike."""
    publishers: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.json")):
        publishers[path.relative_to(folder).parts[0].partition(":")[0]].append(path)
    chance = random.Random(seed)
    for paths in publishers.values():
        chance.shuffle(paths)
    order = [publishers[name] for name in chance.sample(sorted(publishers), len(publishers))]
    rounds = max(map(len, order), default=0)
    return [paths[number] for number in range(rounds) for paths in order if number < len(paths)][:count]


def try_document(path: Path, name: str, most: int) -> Trial:
    """Judge the requests of a document's operations."""
    started = time.process_time()
    try:
        document = compile_source(path.read_bytes(), name, None, None, FILE_LIMITS)
        court = Court(document)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdicts = [verdict for each in document.operations[:most] for verdict in court.judge(each)]
    except Exception:  # noqa: BLE001 - what is to be found
        return Trial(name, [], time.process_time() - started, traceback.format_exc(limit=-6))
    return Trial(name, verdicts, time.process_time() - started)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--show", default="")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    tasks = [
        (path, path.relative_to(folder).as_posix(), options.operations)
        for path in choose(folder, options.documents, options.seed)
    ]
    with multiprocessing.Pool(options.processes, maxtasksperchild=5) as pool:
        trials = pool.starmap(try_document, tasks, chunksize=1)
    counts = Counter((v.kind, c) for t in trials for v in t.verdicts for c in (v.causes or ("",)))
    kinds = Counter(v.kind for t in trials for v in t.verdicts)
    print(len(trials), sum(len({v.operation for v in t.verdicts}) for t in trials), kinds)
    for (kind, cause), count in counts.most_common(100):
        print(f"{count:6} {kind:14} {cause[:200]}")
    for t in trials:
        if t.problem:
            print("PROBLEM", t.name, t.problem)
    for t in sorted(trials, key=lambda t: -t.seconds)[:5]:
        print(f"{t.seconds:.1f} {t.name} {len(t.verdicts)}")
    from urllib.parse import quote
    from tests.tools.referee.arguments import HARD_TEXT, HARD_HEADER

    shown = Counter()
    for t in trials:
        for v in t.verdicts:
            for c in v.causes:
                shown[c] += 1
                shown[c, t.name] += 1
                if (
                    (v.kind in ("disagree", "refused", "cannot"))
                    and (options.show in c)
                    and shown[c] < 40
                    and shown[c, t.name] < 2
                ):
                    text = v.shown
                    for h in (HARD_TEXT, HARD_HEADER):
                        text = text.replace(quote(h, safe=""), "§").replace(h, "§").replace(repr(h)[1:-1], "§")
                    print(f"## {c} -- {t.name} {v.operation} {v.effort}", text[:1500], "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
