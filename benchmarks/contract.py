"""The cost of the contract checker: `python -m benchmarks.contract`.

A small exchange (one media) and a list of 100 medias, each checked completely: route, key, query, body, headers. They
are compared with `json.loads` of the same body in the same run, because machines differ.
"""

from __future__ import annotations

import json
import timeit
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from contentgroove_mock.contract import Checker

from benchmarks.figures import Figure, keep

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARK = "Contract checks"
RUNS = 200
REPEATS = 15
GOALS = {"one media": 80.0, "list of 100": 700.0}


def microseconds(work: Callable[[], object]) -> float:
    """Return the microseconds of an undisturbed call."""
    return min(timeit.repeat(work, number=RUNS, repeat=REPEATS)) / RUNS * 1e6


def exchange(target: str, body: bytes) -> tuple[httpx.Request, httpx.Response]:
    """Make a completed exchange."""
    request = httpx.Request(
        "GET", f"https://api.contentgroove.com/api/v1{target}", headers={"Authorization": "Bearer any-key"}
    )
    request.read()
    return request, httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)


def example(checker: Checker, path: str) -> Any:
    """Return the contract's example of a response."""
    return checker.document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]


def main() -> None:
    """Measure and print the comparison."""
    checker = Checker()
    several = example(checker, "/medias")
    several["data"] *= 100
    bodies = {
        "one media": ("/medias/some-id", json.dumps(example(checker, "/medias/{id}")).encode()),
        "list of 100": ("/medias?page[size]=100&sort=name&filter[name_cont]=a", json.dumps(several).encode()),
    }
    print(f"{'exchange':<12} {'bytes':>7} {'checked':>10} {'json.loads':>11}  ratio  goal")
    for name, (target, body) in bodies.items():
        request, response = exchange(target, body)
        violations = checker.check(request, response)
        if violations:
            raise SystemExit(f"The example violates the contract: {violations[0]}")
        checked = microseconds(partial(checker.check, request, response))
        loaded = microseconds(partial(json.loads, body))
        ratio = f"{checked / loaded:5.2f}"
        print(f"{name:<12} {len(body):>7} {checked:>7.1f} us {loaded:>8.1f} us  {ratio}  {GOALS[name]:g} us")
        detail = f"{ratio.strip()} of json.loads of the same body of {len(body):,} bytes"
        keep(Figure(BENCHMARK, f"checking {name}", checked, f"<= {GOALS[name]:g}", "µs", detail))
    compiled = milliseconds(Checker)
    print(f"compiling the contract: {compiled:.1f} ms")
    keep(Figure(BENCHMARK, "compiling the contract", compiled, unit="ms"))


def milliseconds(work: Callable[[], object]) -> float:
    """Return the milliseconds of a slow call."""
    return min(timeit.repeat(work, number=1, repeat=5)) * 1e3


if __name__ == "__main__":
    main()
