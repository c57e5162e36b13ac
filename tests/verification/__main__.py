"""Turn each entry of the ledger round, and check all others as well: `python -m tests.verification [ID …]`.

The tests check only those about the same requests, because that takes a fraction of the time. Prints what is not as it
should be: another verdict, or something that is left in the account. The exit status is 1 then.
"""

from __future__ import annotations

import sys

from tests.verification.proxy import plain
from tests.verification.service import CHECKABLE, MANY, served, verdicts
from tests.verification.test_deviations import DEVIATIONS, refuted_by
from tests.verification.turned import RULES, SPEECH, WEBHOOKS


def find_problem(identifier: str) -> str:
    """Return what is wrong with the verdicts if an entry is turned round; empty if nothing is."""
    with served(RULES.get(identifier, plain), WEBHOOKS.get(identifier), subscriptions=MANY) as service:
        before = service.counts()
        results = service.run(CHECKABLE, service.writing(speech=identifier in SPEECH))
        left = service.left or service.counts() != before
    refuted = verdicts(results, "refuted")
    if refuted != [identifier]:
        return f"refuted are {[(name, results[name].seen) for name in refuted]}, it is {results[identifier].seen!r}"
    return f"something is left: {service.left}" if left else ""


def find_other_problem(name: str) -> str:
    """Return what is wrong with the verdicts about a service of another kind; empty if nothing is."""
    found, wrong = refuted_by(name, CHECKABLE), DEVIATIONS[name][1]
    return "" if found.keys() == wrong else f"refuted are {found}, wrong are {sorted(wrong)}"


def main(identifiers: list[str]) -> int:
    """Try entries, and without any also the services of other kinds, and return the exit status."""
    problems = 0
    for name in () if identifiers else DEVIATIONS:
        if problem := find_other_problem(name):
            problems += 1
            print(f"{name}: {problem}", flush=True)  # noqa: T201 - a campaign prints
    identifiers = identifiers or CHECKABLE
    for identifier in identifiers:
        if problem := find_problem(identifier):
            problems += 1
            print(f"{identifier}: {problem}", flush=True)  # noqa: T201 - a campaign prints
    print(f"{len(identifiers)} entries turned round, {problems} problems")  # noqa: T201 - a campaign prints
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
