"""The corpus of changed exchanges and of correct ones, and what the checker finds in each.

`python -m tests.contract.judged` prints the three counts of the corpus, and each exchange whose verdict is another than
the one that was written down for it.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from contentgroove_mock.contract import Behaviour, CheckedRequest, CheckedResponse, Checker
from msgspec import structs

from tests.conformance.oracles.reading import apply_changes, exchange_of, read_exchanges, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.oracles.reading import Exchange, Json

CORPUS = Path(__file__).parent / "corpus"
SERVER = "https://api.contentgroove.com/api/v1"
FILES = {"responses": "responses", "runs": "responses", "requests": "requests", "unusual": "unusual"}
"""What is counted together, by file: the last response of a run is the changed one."""


class Step(NamedTuple):
    """An exchange of a run.

    Attributes:
        until: The number of the step after which the response comes, from 1; None if it never does.
    """

    exchange: Exchange
    until: int | None


class Case(NamedTuple):
    """An entry of the corpus.

    Attributes:
        rules: The rules that must find something, and no others; none if it is correct, or if none can.
        missed: Why no rule can find it; empty if one must, or if it is correct.
        is_run: Whether the rules of behaviour count.
    """

    name: str
    kind: str
    rules: list[str]
    missed: str
    steps: list[Step]
    is_run: bool

    def __str__(self) -> str:
        return self.name


def read_cases() -> list[Case]:
    """Read the corpus.

    Raises:
        KeyError, IndexError: An entry changes a member that does not exist.
    """
    complete = read_exchanges()
    return [
        _case(entry, kind, complete) for name, kind in FILES.items() for entry in read_yaml(CORPUS / f"{name}.yaml")
    ]


def _case(entry: Json, kind: str, complete: Json) -> Case:
    steps = [
        Step(_changed(entry["id"], step, complete), None if step.get("lost") else step.get("until", number))
        for number, step in enumerate(entry.get("run", [entry]), 1)
    ]
    rules = sorted(entry.get("rule", "").split())
    return Case(entry["id"], kind, rules, entry.get("missed", ""), steps, "run" in entry)


def _changed(name: str, step: Json, complete: Json) -> Exchange:
    document = copy.deepcopy(complete[step["of"]])
    if "repeat" in step:
        items: Any = document
        for part in step["repeat"].strip("/").split("/")[:-1]:
            items = items[part]
        items.append(copy.deepcopy(items[int(step["repeat"].rpartition("/")[2])]))
    apply_changes(document, step)
    return exchange_of(name, "corpus", document, good=False)


def found_rules(case: Case, checker: Checker) -> list[str]:
    """Return the rules that find something in a case, of one exchange and of behaviour alike."""
    return sorted({violation.split(" ")[0] for violation in found(case, checker)})


def found(case: Case, checker: Checker) -> Iterator[str]:
    """Yield each violation in a case as its rule, location and value."""
    behaviour = Behaviour(checker)
    waiting: dict[int, list[tuple[Any, CheckedResponse]]] = {}
    for number, (exchange, until) in enumerate(case.steps, 1):
        # httpx writes methods in capitals; servers receive what was sent.
        request = structs.replace(CheckedRequest.from_httpx(exchange.request(SERVER)), method=exchange.method)
        response = CheckedResponse.from_httpx(exchange.response())
        if exchange.is_webhook:
            violations = checker.check_webhook(request.content, request.headers)
        else:
            violations = checker.check_exchange(request, response)
            sent = behaviour.sent(request)
            if until is not None:
                waiting.setdefault(until, []).append((sent, response))
        for sent, arrived in waiting.pop(number, ()):
            violations += behaviour.received(sent, arrived) if case.is_run else []
        for violation in violations:
            yield f"{violation.rule} {violation.location} {violation.actual}"


def main() -> None:
    """Print the counts."""
    checker = Checker()
    cases = read_cases()
    for kind, word in (("responses", "caught"), ("requests", "caught"), ("unusual", "refused")):
        own = [case for case in cases if case.kind == kind]
        seen = [case for case in own if found_rules(case, checker)]
        sys.stdout.write(f"{kind}: {len(seen)} of {len(own)} {word}\n")
    for case in cases:
        if found_rules(case, checker) != case.rules:
            sys.stdout.write(f"{case.kind} {case.name}: expected {case.rules}, found {[*found(case, checker)]}\n")


if __name__ == "__main__":
    main()
