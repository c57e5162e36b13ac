"""Jobs that several processes share, with deaths, suspensions and restarts of the database in the middle.

After each job it is checked that every file has exactly one media, and that each machine that lived returned it; only
the simulator knows what was really created.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from random import Random
from typing import TYPE_CHECKING, Any

from contentgroove.checkpoints import PostgresCheckpoints
from contentgroove_mock import Policy, Simulator, sample_video, serve

from tests.uploads.machines.machine import Fault, Job, Outcome, open_checkpoints, run_machine, settle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.webhooks.postgres_server import PostgresServer

LONG = 60.0
MAX_STEP = 70
"""Steps of a machine at which something may happen to it; one that uploads four files has about as many."""

PRELOADED = ["tests.uploads.machines.machine", "contentgroove._sync.client", "contentgroove._core.uploads", "psycopg"]


@dataclass
class Report:
    """The outcomes of a campaign.

    Attributes:
        outcomes: How often each kind of outcome occurred.
        wrong: What must not have happened, with the number of the job.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        counts = ", ".join(f"{kind}: {number}" for kind, number in sorted(self.outcomes.items()))
        return "\n".join([counts, f"wrong: {len(self.wrong)}", *self.wrong])


def run(folder: Path, server: PostgresServer, runs: int, seed: str, *, at_once: int = 4) -> Report:
    """Run a campaign; its files are in a folder."""
    report = Report()
    # No media changes by itself while it is compared.
    simulator = Simulator(policy=Policy(queue_seconds=3600))
    film = folder / "film.mp4"
    film.write_bytes(sample_video().read_bytes())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    PostgresCheckpoints.migrate(server.conninfo)
    with serve(simulator) as service, ThreadPoolExecutor(at_once) as pool:
        jobs = [
            _SharedJob(f"{seed}-{number}", film, server, simulator, service.base_url, context, report)
            for number in range(runs)
        ]
        for done in [pool.submit(job.run) for job in jobs]:
            done.result()
    return report


class _Machine:
    """A process, and what it returned."""

    def __init__(self, context: Any, job: Job, fault: Fault | None) -> None:
        self.fault = fault
        self._results, child = context.Pipe(duplex=False)
        self.process = context.Process(target=run_machine, args=(job, fault, child))
        self.process.start()
        child.close()

    @property
    def may_be_suspended(self) -> bool:
        return self.fault is not None and self.fault.signal == signal.SIGSTOP

    def outcomes(self) -> tuple[dict[str, Outcome], bool] | None:
        """Return what it returned, and whether its fault occurred; None if it was killed."""
        found: tuple[dict[str, Outcome], bool] | None = None
        results: Connection = self._results
        if not wait([results], LONG):
            raise TimeoutError("a machine does not end")
        with contextlib.suppress(EOFError):
            found = results.recv()
        self.process.join(LONG)
        results.close()
        return found

    def resume(self) -> None:
        """Let it continue until it ends, whenever it suspends itself."""

        def keep_awake() -> None:
            while self.process.exitcode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.process.pid, signal.SIGCONT)
                wait([self.process.sentinel], 0.05)

        threading.Thread(target=keep_awake, daemon=True).start()


class _SharedJob:
    """One job, its machines, and what they may return."""

    def __init__(
        self,
        name: str,
        film: Path,
        server: PostgresServer,
        simulator: Simulator,
        base_url: str,
        context: Any,
        report: Report,
    ) -> None:
        self.name, self.server, self.simulator, self.context, self.report = name, server, simulator, context, report
        self.random = Random(name)  # noqa: S311 - repeatable, not secret
        files = {f"{name} film {number}": film.with_name(f"{name}-{number}.mp4") for number in range(4)}
        files = dict(list(files.items())[: self.random.randint(1, 4)])
        for path in files.values():
            path.write_bytes(film.read_bytes())
        self.job = Job(base_url, server.conninfo, name, files, identify=self.random.random() < 0.5)

    def run(self) -> None:
        """Run the job, and once more with a machine to which nothing happens."""
        restarts = self.random.random() < 0.1
        machines = [_Machine(self.context, self.job, self._fault()) for _ in range(self.random.randint(2, 3))]
        if restarts:
            self.report.outcomes["restarts of the database"] += 1
            self.server.restart()
        # The suspended ones continue only when the others have done their work.
        for machine in sorted(machines, key=lambda machine: machine.may_be_suspended):
            if machine.may_be_suspended:
                machine.resume()
            self._check_machine(machine, last=False)
        settle(self.job, self._truth())
        self._check_machine(_Machine(self.context, self.job, None), last=True)
        self._check_end()

    def _fault(self) -> Fault | None:
        kind = self.random.choice((None, signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP))
        return None if kind is None else Fault(self.random.randint(1, MAX_STEP), kind)

    def _truth(self) -> dict[str, list[str]]:
        """Return the medias of each name."""
        found: dict[str, list[str]] = {}
        with self.simulator._context.locked_service() as service:
            for media in service.state.medias.values():
                found.setdefault(media.name, []).append(media.id)
        return found

    def _check_machine(self, machine: _Machine, *, last: bool) -> None:
        returned = machine.outcomes()
        if returned is None:
            self.report.outcomes["killed"] += 1
            if last or machine.fault is None or machine.fault.signal != signal.SIGKILL:
                self._wrong("a machine ended by itself")
            return
        outcomes, suspended = returned
        self.report.outcomes["suspended"] += suspended
        truth = self._truth()
        if outcomes.keys() != self.job.files.keys():
            self._wrong(f"results for {sorted(outcomes)} only")
        for name, outcome in outcomes.items():
            if outcome.unknown and not last:
                self.report.outcomes["unknown"] += 1
            elif outcome.media_id is None or truth.get(name) != [outcome.media_id]:
                self._wrong(f"{name}: {outcome}, but its medias are {truth.get(name)}")
            else:
                self.report.outcomes["returned"] += 1

    def _check_end(self) -> None:
        truth = self._truth()
        for name in self.job.files:
            if len(truth.get(name, [])) != 1:
                self._wrong(f"{name} has the medias {truth.get(name)}")
        with open_checkpoints(self.job) as checkpoints:
            results = {result.key: result for result in checkpoints.results()}
        for name in self.job.files:
            result = results.get(name)
            if result is None or result.media_id is None or result.error is not None or result.holder is not None:
                self._wrong(f"{name} is kept as {result}")
        with self.simulator._context.locked_service() as service:
            for media in service.state.medias.values():
                if media.name in self.job.files and "[sdk" in (media.description or ""):
                    self._wrong(f"the marker of {media.name} was left")

    def _wrong(self, problem: str) -> None:
        self.report.wrong.append(f"{self.name}: {problem}")
