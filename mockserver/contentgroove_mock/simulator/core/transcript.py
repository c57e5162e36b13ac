"""Made-up speech: a transcription that fits a video's length, and the clips suggested from it."""

from __future__ import annotations

import itertools
from typing import NamedTuple

# Recordings and state files contain these sentences, so they must not change.
_SENTENCES = (
    "A small lamp lights up before the coloured bars begin to move.",
    "With every second the tone climbs one step and the counter follows.",
    "Whoever cuts this film well will find the steps still in order.",
    "Nothing here was ever spoken aloud, yet every word has its place.",
    "The last bar runs out of the picture and the hall is quiet again.",
)
_SENTENCE_SECONDS = 2.0
_MAX_SENTENCES = 300
_MAX_CLIPS = 3


class Sentence(NamedTuple):
    """A sentence, with its position in time (seconds) and in the transcription's text (characters)."""

    start: float
    end: float
    start_char: int
    end_char: int
    text: str


class Span(NamedTuple):
    """A part of a video, with the words spoken in it."""

    start: float
    end: float
    start_char: int
    end_char: int
    text: str


def sentences(duration: float) -> list[Sentence]:
    """Spread sentences evenly over a video, one every 2 seconds, at most 300."""
    count = max(1, min(_MAX_SENTENCES, round(duration / _SENTENCE_SECONDS)))
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
    """Return the whole transcription of a video of that length."""
    return " ".join(sentence.text for sentence in sentences(duration))


def spoken_in(duration: float, start: float, end: float) -> Span:
    """Return the sentences that are heard, at least in part, between two times."""
    heard = [item for item in sentences(duration) if item.start < end and item.end > start]
    first, last = heard[0], heard[-1]
    text = " ".join(item.text for item in heard)
    return Span(start, end, first.start_char, last.end_char, text)


def suggested(duration: float) -> list[Span]:
    """Cut a video into the clips that the service suggests, best first."""
    spoken = sentences(duration)
    count = min(_MAX_CLIPS, len(spoken))
    edges = [round(len(spoken) * step / count) for step in range(count + 1)]
    parts = [spoken[begin:end] for begin, end in itertools.pairwise(edges)]
    return [spoken_in(duration, part[0].start, part[-1].end) for part in parts]
