"""What can go wrong with one upload, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

Fault: TypeAlias = Literal[
    "none", "no connection", "429", "reset before", "reset after", "503 before", "503 after", "garbled", "twice"
]
"""What happens to a creation; before or after it was performed."""

LISTS_IN_A_CALL = 4
"""Searches that one call makes."""


@dataclass
class Scenario:
    """One upload, and what goes wrong with it.

    Attributes:
        number: Its number in the campaign.
        faults: What happens to its creations, one after the other.
        name: The media's name; None for the same as that of all others.
        description: Its description.
        identify: Whether it has a marker.
        checkpoint: Whether it has a checkpoint, so that it can be continued.
        crowd: How many uploads of the same file and name by others precede it.
        crowd_during: How many are created between its request and its own creation.
        crowd_after: How many follow it at once.
        newer: How many other medias are created before it is searched for.
        hidden_for: How many lists do not show its own media.
        list_failures: How many of its lists fail.
        update_failures: How many of its updates fail.
        kills: The steps at which its process is killed.
        takes_uploads_twice: Whether the service creates a media of a used upload.
        cuts_descriptions: Whether the service keeps only the first characters of a description.
        wrong_statement: Whether the application states that nothing was created although it was.
    """

    number: int
    faults: list[Fault]
    name: str | None
    description: str | None
    identify: bool
    checkpoint: bool
    crowd: int
    crowd_during: int
    crowd_after: int
    newer: int
    hidden_for: int
    list_failures: int
    update_failures: int
    kills: frozenset[int]
    takes_uploads_twice: bool
    cuts_descriptions: bool
    wrong_statement: bool

    def next_fault(self) -> Fault:
        """Return what happens to the next creation."""
        return self.faults.pop(0) if self.faults else "none"

    def tidy(self, simulator: Simulator, media_id: str) -> None:
        """Change a new media as this service does."""
        if self.cuts_descriptions:
            with simulator._context.locked_service() as service:
                media = service.state.medias[media_id]
                media.description = media.description and media.description[:20]


def draw(seed: str, number: int) -> Scenario:
    """Draw the scenario of a number."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - repeatable, not secret

    def chance(percent: float) -> bool:
        return random.random() * 100 < percent

    checkpoint = chance(70)
    return Scenario(
        number=number,
        faults=[random.choice(get_args(Fault)) for _ in range(random.choice((0, 1, 1, 1, 2, 3)))],
        name=random.choice((None, None, "Same", "Same", f"Film {number}")),
        description=random.choice((None, "About the film")),
        identify=chance(50),
        checkpoint=checkpoint,
        crowd=random.choice((0, 0, 1, 2)),
        crowd_during=random.choice((0, 0, 1)),
        crowd_after=random.choice((0, 0, 1)),
        newer=150 if chance(10) else 0,
        hidden_for=random.choice((0, 0, 0, 1, LISTS_IN_A_CALL, 99)),
        list_failures=random.choice((0, 0, 0, 0, 1, 30)),
        update_failures=random.choice((0, 0, 0, 1, 9)),
        kills=frozenset(random.sample(range(1, 40), random.choice((0, 1, 1, 3)))) if checkpoint else frozenset(),
        takes_uploads_twice=chance(50),
        cuts_descriptions=chance(10),
        wrong_statement=chance(15),
    )
