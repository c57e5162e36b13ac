"""Comparing two OpenAPI documents with the command line, beside reading both with `json.load`.

`python -m benchmarks.documents OLD NEW [--runs 3]`: two JSON files. Without files, documents are made that have many
operations and schemas that extend each other, `--operations` of them. The programs take turns. Processor time counts,
and of several runs the shortest, because a machine that does something else adds to it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MEGABYTE = 1024 * 1024
RIVAL = "json.load of both"
LOAD = "import json, sys\nprint(len([json.load(open(name, encoding='utf-8')) for name in sys.argv[1:]]))"


def made(operations: int, *, changed: bool) -> dict[str, Any]:
    """Return a document; every 50th schema and operation has a change."""
    reference = "#/components/schemas/"
    schemas: dict[str, Any] = {"Base": {"type": "object", "properties": {"id": {"type": "string"}}}}
    paths: dict[str, Any] = {}
    for number in range(operations):
        name, other = f"Kind{number}", f"Kind{number * 7 % operations}"
        kind = "integer" if changed and number % 50 == 0 else "number"
        properties = {"length": {"type": kind}, "other": {"$ref": reference + other}, "name": {"type": "string"}}
        schemas[name] = {"allOf": [{"$ref": f"{reference}Base"}, {"type": "object", "properties": properties}]}
        content = {"application/json": {"schema": {"$ref": reference + name}}}
        required = {"name": "filter", "in": "query", "required": True, "schema": {"type": "string"}}
        paths[f"/kinds/{number}"] = {
            "post": {
                "summary": f"Creates the kind {number}.",
                "parameters": [required] if changed and number % 50 == 1 else [],
                "requestBody": {"content": content},
                "responses": {"200": {"description": "It was created.", "content": content}},
            }
        }
    info = {"title": "Kinds", "version": "1"}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas}}


def measure(arguments: list[str], folder: str) -> tuple[float, float]:
    """Run a program of Python; return the seconds of its processor, and its memory in MB."""
    with (Path(folder) / "output").open("wb") as output:
        process = subprocess.Popen([sys.executable, *arguments], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed.")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / MEGABYTE


def main() -> None:
    """Measure the programs in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="OLD and NEW")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--operations", type=int, default=5000)
    options = parser.parse_args()
    files: list[str] = options.files
    if len(files) not in {0, 2}:
        parser.error("Pass two files, or none.")
    with tempfile.TemporaryDirectory() as folder:
        if not files:
            files = [str(Path(folder) / name) for name in ("old.json", "new.json")]
            for file, changed in zip(files, (False, True), strict=True):
                document = made(options.operations, changed=changed)
                Path(file).write_text(json.dumps(document), encoding="utf-8")
        command = ["-m", "contentgroove", "spec", "diff", *files]
        programs = {
            RIVAL: ["-c", LOAD, *files],
            "spec diff": command,
            "spec diff --format json": [*command, "--format", "json"],
            "spec diff OLD OLD": ["-m", "contentgroove", "spec", "diff", files[0], files[0]],
        }
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for _ in range(options.runs):
            for name, program in programs.items():
                figures[name].append(measure(program, folder))
        size = sum(Path(file).stat().st_size for file in files) / MEGABYTE
    rival = min(figures[RIVAL])[0]
    print(f"Comparing documents of {size:.0f} MB together")
    for name, measured in figures.items():
        seconds, memory = (min(values) for values in zip(*measured, strict=True))
        print(f"  {name:<24} processor {seconds:6.2f} s, {memory:5.0f} MB, {seconds / rival:5.1f} of {RIVAL}")


if __name__ == "__main__":
    main()
