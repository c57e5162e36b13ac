"""Many uploads of the same file, each with its own faults: none returns a media that is not its own.

Others upload the same bytes under the same name to the same account at the same time. After each call it is checked
what the upload returned or raised against what its own creations made, which only the harness knows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING
from unittest.mock import patch

import httpx
from contentgroove import ContentGroove, ContentGrooveError, Media, OutcomeUnknownError, RetryPolicy
from contentgroove._io.checkpoint_store import FileCheckpointStore
from contentgroove_mock import Policy, Simulator, sample_video, serve

from tests.uploads.identity.network import Killed, Network
from tests.uploads.identity.scenarios import Scenario, draw

if TYPE_CHECKING:
    from pathlib import Path

MAX_CALLS = 25
"""Calls after which an upload with a checkpoint must have ended."""

_PATIENT = RetryPolicy(max_retries=3, initial_delay=0.0, max_delay=0.0)


@dataclass
class Report:
    """The outcomes of a campaign.

    Attributes:
        outcomes: How often each kind of outcome occurred.
        wrong: What must not have happened, with the number of the scenario.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        counts = ", ".join(f"{kind}: {number}" for kind, number in sorted(self.outcomes.items()))
        return "\n".join([counts, f"wrong: {len(self.wrong)}", *self.wrong])


def run(folder: Path, runs: int, seed: str) -> Report:
    """Run a campaign; its files are in a folder."""
    report = Report()
    # No media changes by itself while it is compared.
    simulator = Simulator(policy=Policy(queue_seconds=3600))
    with serve(simulator) as server, httpx.HTTPTransport() as inner:
        for number in range(runs):
            scenario = draw(seed, number)
            _Upload(scenario, folder, simulator, server.base_url, inner, report).run()
    return report


class _Upload:
    """One upload, its calls, and what they may return."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        simulator: Simulator,
        base_url: str,
        inner: httpx.HTTPTransport,
        report: Report,
    ) -> None:
        self.scenario, self.report = scenario, report
        self.simulator, self.base_url = simulator, base_url
        self.key = f"campaign-{scenario.number}"
        self.name = scenario.name
        self.file = folder / "film.mp4"
        if not self.file.exists():
            self.file.write_bytes(sample_video().read_bytes())
        self.checkpoint = folder / f"{scenario.number}.json" if scenario.checkpoint else None
        self.network = Network(simulator, scenario, self._compete, inner)
        self.asked = 0
        self.others = ContentGroove(self.key, base_url)

    def _compete(self) -> None:
        self.others.medias.upload(self.file.read_bytes(), name=self.name)

    def run(self) -> None:
        """Call until there is an outcome that no further call changes."""
        with self.others:
            for _ in range(self.scenario.crowd):
                self._compete()
            for calls in count(1):
                if calls > MAX_CALLS:
                    self._wrong("it does not end")
                    return
                if self._call():
                    return

    def _call(self) -> bool:
        """Call once, and check the outcome; return whether it was the last call."""
        write = FileCheckpointStore.write

        def written(store: FileCheckpointStore, content: bytes) -> OSError | None:
            self.network.step()
            problem = write(store, content)
            self.network.step()
            return problem

        try:
            with (
                patch.object(FileCheckpointStore, "write", written),
                httpx.Client(transport=self.network.transport()) as http_client,
                ContentGroove(
                    self.key,
                    self.base_url,
                    http_client=http_client,
                    sleep=lambda _seconds: None,
                    retry_policy=_PATIENT,
                ) as client,
            ):
                try:
                    media = client.medias.upload(
                        self.file,
                        name=self.name,
                        description=self.scenario.description,
                        checkpoint=self.checkpoint,
                        identify="description" if self.scenario.identify else None,
                    )
                except OutcomeUnknownError as error:
                    self._check_unknown(error)
                    return self.checkpoint is None or self._settle(client)
                return self._check_returned(media)
        except Killed:
            self.report.outcomes["killed"] += 1
            return False
        except ContentGrooveError as error:
            self._wrong(f"{type(error).__name__}: {error}")
            return True
        finally:
            self._check_creations()

    def _check_returned(self, media: Media) -> bool:
        if media.id not in self.network.own:
            self._wrong(f"returned {media.id}, which is not its own {self.network.own}")
            return True
        marker_left = "[sdk" in (media.description or "")
        if marker_left and self.checkpoint is not None:
            # The same call tries again.
            self.report.outcomes["marker left"] += 1
            return False
        if not marker_left and (media.description or "") != (self.scenario.description or ""):
            self._wrong(f"the description is {media.description!r}")
        self.report.outcomes["returned with a marker" if self.scenario.identify else "returned"] += 1
        return True

    def _check_unknown(self, error: OutcomeUnknownError) -> None:
        self.report.outcomes["unknown"] += 1
        candidates = {media.id for media in error.candidates}
        if error.upload_id is None or error.upload_id not in error.message:
            self._wrong("the error does not name the upload")
        missing = self.network.visible - candidates
        if missing and "could be read" not in error.message:
            self._wrong(f"its own media {missing} is listed, but no candidate")
        if self.scenario.identify and len(self.network.visible) == 1 and not self._may_be_unknown():
            self._wrong("its own media is listed with its marker, but was not found")

    def _may_be_unknown(self) -> bool:
        return self.scenario.cuts_descriptions or len(self.network.own) > 1 or bool(self.scenario.list_failures)

    def _settle(self, client: ContentGroove) -> bool:
        assert self.checkpoint is not None
        own: str | None = self.network.own[0] if self.network.own else None
        if own is not None and self.scenario.wrong_statement and not self.asked:
            self.report.outcomes["wrong statement"] += 1
            own = None
        if own is None:
            self.asked += 1
        # The statement of a person takes effect once, or not at all if the process is killed.
        client.medias.resolve(self.checkpoint, media_id=own)
        self.report.outcomes["settled"] += 1
        return False

    def _check_creations(self) -> None:
        if self.network.posts > 1 + self.asked:
            self._wrong(f"{self.network.posts} creations were sent, {self.asked} of them on request")
        left = self.file.with_name(f"{self.scenario.number}.json.lock")
        if left.exists():
            self._wrong("a lock was left")

    def _wrong(self, problem: str) -> None:
        self.report.wrong.append(f"{self.scenario.number}: {problem}")
