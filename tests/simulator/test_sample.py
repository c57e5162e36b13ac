"""The sample video, and the made-up speech of videos."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import sample_video
from contentgroove_mock.simulator.core.lifecycle import full_text, sentences, span_between, suggest_clips
from contentgroove_mock.simulator.core.records import SAMPLE
from contentgroove_mock.simulator.files import inspect_file
from hypothesis import given
from hypothesis import strategies as st

from mockserver.make_sample import make_sample

if TYPE_CHECKING:
    from pathlib import Path

durations = st.floats(0.01, 200_000, allow_nan=False)


def test_sample_has_its_declared_facts() -> None:
    """MediaInfo reads from the sample the facts that medias with a source_url have."""
    facts = inspect_file(sample_video())
    assert facts is not None
    assert (facts.content_type, facts.duration) == (SAMPLE.content_type, SAMPLE.duration)
    assert (facts.width, facts.height, facts.made_at) == (SAMPLE.width, SAMPLE.height, None)


def test_sample_is_small_and_plays_while_it_loads() -> None:
    """Its index is before its pictures, and it is below 150 KB."""
    content = sample_video().read_bytes()
    assert len(content) < 150_000
    assert content[4:8] == b"ftyp"
    assert 0 < content.find(b"moov") < content.find(b"mdat")


@pytest.mark.process
def test_sample_can_be_made_again(tmp_path: Path) -> None:
    """The script makes a video with the same facts, and a picture of it."""
    make_sample(tmp_path)
    assert inspect_file(tmp_path / "sample.mp4") == inspect_file(sample_video())
    assert (tmp_path / "sample.jpg").read_bytes().startswith(b"\xff\xd8")


def test_file_without_sound_or_picture_has_no_facts(tmp_path: Path) -> None:
    """A text file is not a video."""
    path = tmp_path / "text.mp4"
    path.write_text("no film", "utf-8")
    assert inspect_file(path) is None


@given(durations)
def test_transcription_fits_any_video(duration: float) -> None:
    """Sentences cover a video without gaps, and are in the text at their positions."""
    spoken = sentences(duration)
    text = full_text(duration)
    assert (spoken[0].start, spoken[-1].end) == (0, duration)
    assert all(one.end == two.start for one, two in itertools.pairwise(spoken))
    assert all(text[item.start_char : item.end_char] == item.text for item in spoken)
    assert len(spoken) <= 300


@given(durations, st.floats(0, 1), st.floats(0, 1))
def test_any_part_of_a_video_has_its_words(duration: float, one: float, other: float) -> None:
    """The words of a part are a piece of the transcription."""
    start, end = sorted((one * duration, other * duration))
    if start == end:
        start, end = 0.0, duration
    span = span_between(duration, start, end)
    assert span.text == full_text(duration)[span.start_char : span.end_char]
    assert span.text


@given(durations)
def test_suggested_clips_lie_within_the_video(duration: float) -> None:
    """One to three clips, one after the other, none of them empty."""
    spans = suggest_clips(duration)
    assert 1 <= len(spans) <= 3
    assert all(0 <= span.start < span.end <= duration for span in spans)
    assert all(one.end <= two.start for one, two in itertools.pairwise(spans))


@pytest.mark.parametrize(("duration", "count"), [(0.5, 1), (6.0, 3), (10_000.0, 300)])
def test_sentences_come_every_two_seconds(duration: float, count: int) -> None:
    """A video has a sentence for every two seconds, at least one and at most 300."""
    assert len(sentences(duration)) == count
