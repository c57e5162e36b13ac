"""Holds the requests of tools to a referee: openapi-core reads back what was written, and must find the arguments.

`python -m tests.tools.referee FOLDER` compiles documents of others, as `tests.tools.documents` does, and builds three
requests for each operation: with what is required only, with everything, and with values that are hard to write. It
ends with 1 if openapi-core reads something else, unless `explained.toml` says why.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import sys
import time
import tomllib
import traceback
import warnings
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contentgroove.tools.source_documents import FILE_LIMITS, compile_source

from tests.tools.referee.judging import Court, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

EXPLAINED: list[dict[str, str]] = tomllib.loads(Path(__file__).with_name("explained.toml").read_text(encoding="utf-8"))[
    "explained"
]
SHOWN = 20
"""Requests in the report."""


class Trial(NamedTuple):
    """What became of one document.

    Attributes:
        name: Its path below the folder.
        verdicts: One for each request.
        seconds: The processor's time.
        problem: Why there are none.
    """

    name: str
    verdicts: list[Verdict]
    seconds: float
    problem: str = ""


def choose(folder: Path, count: int, seed: int) -> list[Path]:
    """Choose documents of as many publishers as possible: some publish hundreds that are much alike."""
    publishers: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.json")):
        publishers[path.relative_to(folder).parts[0].partition(":")[0]].append(path)
    chance = random.Random(seed)  # noqa: S311 - which documents are tried
    for paths in publishers.values():
        chance.shuffle(paths)
    order = [publishers[name] for name in chance.sample(sorted(publishers), len(publishers))]
    rounds = max(map(len, order), default=0)
    return [paths[number] for number in range(rounds) for paths in order if number < len(paths)][:count]


def try_document(path: Path, name: str, most: int) -> Trial:
    """Judge the requests of a document's operations.

    Args:
        path: The file.
        name: Its name in the report.
        most: How many operations.
    """
    started = time.process_time()
    try:
        document = compile_source(path.read_bytes(), name, None, None, FILE_LIMITS)
        court = Court(document)
        with warnings.catch_warnings():
            # openapi-core warns of what is deprecated.
            warnings.simplefilter("ignore")
            verdicts = [verdict for operation in document.operations[:most] for verdict in court.judge(operation)]
    except Exception:  # noqa: BLE001 - what is to be found
        return Trial(name, [], time.process_time() - started, traceback.format_exc(limit=-3))
    return Trial(name, verdicts, time.process_time() - started)


def explanation(document: str, verdict: Verdict, cause: str) -> str:
    """Return why a cause is one to be left alone; empty if it is not."""
    for entry in EXPLAINED:
        names = _alternatives(entry.get("document", "*"))
        is_body = verdict.body == entry.get("body", verdict.body)
        if is_body and re.fullmatch(entry["cause"], cause) and any(fnmatchcase(document, name) for name in names):
            return entry["why"]
    return ""


def _alternatives(pattern: str) -> list[str]:
    found = re.fullmatch(r"\{(.*)\}(.*)", pattern)
    return [f"{name}{found[2]}" for name in found[1].split(",")] if found else [pattern]


def is_open(document: str, verdict: Verdict) -> bool:
    """Return whether a verdict is a disagreement that nothing explains."""
    return verdict.kind == "disagree" and not all(explanation(document, verdict, cause) for cause in verdict.causes)


def report(trials: list[Trial]) -> Iterable[str]:
    """Yield the lines of the report."""
    judged = [(trial.name, verdict) for trial in trials for verdict in trial.verdicts]
    kinds = Counter(verdict.kind for _, verdict in judged)
    open_ones = [(name, verdict) for name, verdict in judged if is_open(name, verdict)]
    operations = {(name, verdict.operation) for name, verdict in judged}
    yield f"{len(trials)} documents, {len(operations):,} operations, {len(judged):,} requests:"
    yield f"  {kinds['agree']:7,} read as they were meant"
    yield f"  {kinds['disagree']:7,} read otherwise, {len(open_ones):,} of them without an explanation"
    yield f"  {kinds['refused']:7,} refused by the tools, {kinds['not generated']:,} without arguments"
    yield f"  {kinds['cannot']:7,} that openapi-core cannot read"
    reasons = Counter(
        reason
        for name, verdict in judged
        if verdict.kind == "disagree"
        for reason in dict.fromkeys(explanation(name, verdict, cause) or "OPEN " + cause for cause in verdict.causes)
    )
    yield "Why they were read otherwise:"
    yield from (f"  {count:7,} {reason}" for reason, count in reasons.most_common())
    others = Counter(
        f"{verdict.kind}: {verdict.causes[0][:120]}" for _, verdict in judged if verdict.kind in {"refused", "cannot"}
    )
    yield from (f"  {count:7,} {reason}" for reason, count in others.most_common(SHOWN))
    for name, verdict in open_ones[:SHOWN]:
        yield f"OPEN {name} {verdict.operation} ({verdict.effort}): {'; '.join(verdict.causes)}: {verdict.shown}"
    yield from (f"CRASHED {trial.name}: {trial.problem}" for trial in trials if trial.problem)


def main(arguments: list[str] | None = None) -> int:
    """Judge a folder's documents; return 1 if a disagreement is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=200, metavar="N", help="how many")
    parser.add_argument("--operations", type=int, default=500, metavar="N", help="at most so many of each")
    parser.add_argument("--seed", type=int, default=1, help="another choice of documents")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    chosen = choose(folder, options.documents, options.seed)
    tasks = [(path, path.relative_to(folder).as_posix(), options.operations) for path in chosen]
    with multiprocessing.Pool(options.processes, maxtasksperchild=5) as pool:
        trials = pool.starmap(try_document, tasks, chunksize=1)
    sys.stdout.writelines(f"{line}\n" for line in report(trials))
    is_open_one = any(is_open(trial.name, verdict) for trial in trials for verdict in trial.verdicts)
    return int(is_open_one or any(trial.problem for trial in trials))


if __name__ == "__main__":
    sys.exit(main())
