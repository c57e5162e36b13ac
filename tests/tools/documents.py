"""Compiles every document of a folder to tools, and counts what becomes of them and of their operations.

`python -m tests.tools.documents FOLDER` reads all `.json`, `.yaml` and `.yml` files below the folder, each in a process
of its own, so that the memory that one needs can be told. The folder is not a part of this repository: public documents
belong to others. With `--yaml SIZE`, each JSON document up to that many bytes is also written as YAML, which must
compile to the same operations.

A document is *whole* if all of its operations are tools, *partial* if some were left out, each with a reason, *refused*
if it cannot be a source, and *crashed* if anything but a documented error was raised.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import as_object
from contentgroove.errors import ContentGrooveError
from contentgroove.tools.source_documents import FILE_LIMITS, compile_source, describe_document
from contentgroove_spec.documents import dump_yaml
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

PATTERNS = ("*.json", "*.yaml", "*.yml")
SHOWN = 15
"""Reasons and documents in the report."""


class Outcome(Struct, frozen=True):
    """What became of one document.

    Attributes:
        name: The document's path below the folder.
        kind: "whole", "partial", "refused" or "crashed".
        operations: The operations that became tools.
        reasons: Why operations or the document were not, without names of the document.
        seconds: The processor's time for reading and compiling.
        megabytes: The peak of the process's memory.
        version: The OpenAPI version; empty if it could not be read.
    """

    name: str
    kind: str
    operations: int = 0
    reasons: list[str] = []
    seconds: float = 0.0
    megabytes: float = 0.0
    version: str = ""


def without_names(reason: str) -> str:
    """Return a reason without what it quotes of a document, so that equal reasons can be counted."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "…", reason)
    text = re.sub(r"\b(?:GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH) /\S*", "An operation", text)
    return re.sub(r"[\d,]{2,}", "N", text)[:120]


def try_document(path: Path, name: str, yaml_bytes: int = 0) -> Outcome:
    """Compile one document and describe it, as `openapi.previewSpec` does.

    Args:
        path: The file.
        name: Its name in the report.
        yaml_bytes: Up to this size, it is also compiled as YAML.
    """
    started = time.process_time()
    try:
        content = path.read_bytes()
        document = compile_source(content, "The document", None, None, FILE_LIMITS)
        json.dumps(describe_document(document))
        seconds = time.process_time() - started
        if len(content) <= yaml_bytes and path.suffix == ".json":
            again = compile_source(dump_yaml(document.content), "The YAML", None, None, FILE_LIMITS)
            if again.operations != document.operations:
                return Outcome(name, "crashed", reasons=["Its YAML compiles to other operations."], seconds=seconds)
    except ContentGrooveError as error:
        return Outcome(name, "refused", 0, [without_names(error.message)], time.process_time() - started, peak())
    except Exception:  # noqa: BLE001 - what is to be found
        return Outcome(name, "crashed", 0, [traceback.format_exc(limit=-3)], time.process_time() - started, peak())
    reasons = [without_names(left_out.reason) for left_out in document.left_out]
    version = str(as_object(document.content).get("openapi"))
    kind = "partial" if reasons else "whole"
    return Outcome(name, kind, len(document.operations), reasons, seconds, peak(), version)


def peak() -> float:
    """Return the peak of this process's memory in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(outcomes: list[Outcome]) -> Iterable[str]:
    """Yield the lines of the report."""
    kinds = Counter(outcome.kind for outcome in outcomes)
    yield f"{len(outcomes)} documents: " + ", ".join(
        f"{kinds[kind]} {kind}" for kind in ("whole", "partial", "refused", "crashed")
    )
    left_out = Counter(reason for outcome in outcomes if outcome.kind == "partial" for reason in outcome.reasons)
    tools = sum(outcome.operations for outcome in outcomes)
    yield f"{tools:,} operations became tools, {left_out.total():,} were left out:"
    yield from (f"  {count:6,} {reason}" for reason, count in left_out.most_common(SHOWN))
    refused = Counter(reason for outcome in outcomes if outcome.kind == "refused" for reason in outcome.reasons)
    yield "Refused:"
    yield from (f"  {count:6,} {reason}" for reason, count in refused.most_common(SHOWN))
    seconds, slowest = sum(each.seconds for each in outcomes), max(each.seconds for each in outcomes)
    megabytes = max(each.megabytes for each in outcomes)
    yield f"{seconds:.0f} s of a processor in all, at most {slowest:.1f} s and {megabytes:.0f} MB"
    yield "The slowest:"
    for each in sorted(outcomes, key=lambda outcome: -outcome.seconds)[:5]:
        yield f"  {each.seconds:6.1f} s {each.megabytes:6.0f} MB {each.operations:6,} {each.name}"
    for outcome in outcomes:
        if outcome.kind == "crashed":
            yield f"CRASHED {outcome.name}: {' '.join(outcome.reasons)}"


def main(arguments: list[str] | None = None) -> int:
    """Compile a folder's documents; return 1 if one crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth document, by name")
    parser.add_argument("--yaml", type=int, default=0, metavar="SIZE", help="compile documents up to SIZE as YAML, too")
    parser.add_argument("--version", default="", help="only documents of this OpenAPI version, such as 3.1")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    files = sorted({path for pattern in PATTERNS for path in folder.rglob(pattern)})[:: options.every]
    tasks = [(path, path.relative_to(folder).as_posix(), options.yaml) for path in files]
    # Each in a fresh process: the peak of its memory is that of one document.
    with multiprocessing.Pool(options.processes, maxtasksperchild=1) as pool:
        outcomes = pool.starmap(try_document, tasks, chunksize=1)
    outcomes = [outcome for outcome in outcomes if outcome.version.startswith(options.version)]
    sys.stdout.writelines(f"{line}\n" for line in report(outcomes))
    return int(any(outcome.kind == "crashed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
