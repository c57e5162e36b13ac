"""Made-up speech: a transcription that fits a film's length, and the clips that are suggested from it."""

from __future__ import annotations

import itertools
from typing import NamedTuple

_SENTENCES = (
    "A small lamp lights up before the coloured bars begin to move.",
    "With every second the tone climbs one step and the counter follows.",
    "Whoever cuts this film well will find the steps still in order.",
    "Nothing here was ever spoken aloud, yet every word has its place.",
    "The last bar runs out of the picture and the hall is quiet again.",
)
_SECONDS_EACH = 2.0
_MOST_SENTENCES = 300
_MOST_CLIPS = 3


class Sentence(NamedTuple):
    """A sentence, with its place in time (seconds) and in the transcription's text (characters)."""

    start: float
    end: float
    start_char: int
    end_char: int
    text: str


class Span(NamedTuple):
    """A part of a film, with the words that fall into it."""

    start: float
    end: float
    start_char: int
    end_char: int
    text: str


def sentences(duration: float) -> list[Sentence]:
    """Spread sentences evenly over a film, one every 2 seconds, at most 300."""
    count = max(1, min(_MOST_SENTENCES, round(duration / _SECONDS_EACH)))
    result: list[Sentence] = []
    position = 0
    for index in range(count):
        text = _SENTENCES[index % len(_SENTENCES)]
        start = round(duration * index / count, 2)
        end = duration if index == count - 1 else round(duration * (index + 1) / count, 2)
        result.append(Sentence(start, end, position, position + len(text), text))
        position += len(text) + 1
    return result


def full_text(duration: float) -> str:
    """Give the whole transcription of a film of that length."""
    return " ".join(sentence.text for sentence in sentences(duration))


def spoken_in(duration: float, start: float, end: float) -> Span:
    """Find the sentences that are heard, in part at least, between two times."""
    heard = [item for item in sentences(duration) if item.start < end and item.end > start]
    first, last = heard[0], heard[-1]
    text = " ".join(item.text for item in heard)
    return Span(start, end, first.start_char, last.end_char, text)


def suggested(duration: float) -> list[Span]:
    """Cut a film into the clips that the service suggests, best first."""
    spoken = sentences(duration)
    count = min(_MOST_CLIPS, len(spoken))
    edges = [round(len(spoken) * step / count) for step in range(count + 1)]
    parts = [spoken[begin:end] for begin, end in itertools.pairwise(edges)]
    return [spoken_in(duration, part[0].start, part[-1].end) for part in parts]
