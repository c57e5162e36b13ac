"""Where a text of captions may be broken, and how it is divided into lines and screens of lines.

Lines break where Unicode allows it (Standard Annex 14: after spaces and hyphens, between ideographs, but not before
closing punctuation), and never inside a grapheme cluster (Annex 29). Widths are those of terminals and of broadcasting:
a wide character (Annex 11: W and F, and emoji) counts as two columns, a combining mark or an invisible one as none.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CACHED_RUNS = 4096

# A space between two letters or after punctuation is always a break, so that each word is searched for breaks by
# itself, and only once. Others, such as those of « bonjour », need their context.
_SIMPLE_SPACE = re.compile(r"(?<=[\w.,])( +)(?=\w)")

_SENTENCE_ENDS = frozenset(".!?…。！？．｡؟۔।॥።")  # noqa: RUF001 - of many scripts, on purpose
_CLAUSE_ENDS = frozenset(",;:，；：、､،؛–—")  # noqa: RUF001 - as above
_CLOSING = "\"'”’»)"  # noqa: RUF001 - as above
_COSTS = {"sentence": 0.0, "clause": 0.05, "space": 0.12, "wide": 0.12, "other": 0.2, "inside": 0.5}
"""What a break after each kind of text costs. A line that is a tenth of its capacity off the balance costs 0.01."""


class Piece(NamedTuple):
    """A part of a text that stays in one line.

    Attributes:
        text: The part, with the spaces after it.
        width: Its columns without these spaces.
        gap: The columns of these spaces, which are dropped at the end of a line.
        cost: What a break after it costs.
    """

    text: str
    width: int
    gap: int
    cost: float


def display_width(text: str) -> int:
    """Return the columns that a text takes."""
    from uniseg.graphemecluster import grapheme_clusters

    return len(text) if text.isascii() else sum(map(_cluster_width, grapheme_clusters(text)))


def shows(text: str) -> bool:
    """Return True if a text shows anything: it has more than separators (Z) and invisible characters (C)."""
    return any(unicodedata.category(character)[0] not in "ZC" for character in text)


def _cluster_width(cluster: str) -> int:
    # Format characters (Cf) such as marks of direction, and combining marks, take no column of their own.
    visible = [character for character in cluster if unicodedata.category(character) not in {"Mn", "Me", "Cf", "Cc"}]
    if not visible:
        return 0
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in visible)
    # U+FE0F asks for the picture instead of the letter; two regional indicators make a flag.
    return 2 if wide or "\ufe0f" in cluster or (len(visible) > 1 and "\U0001f1e6" <= visible[0] <= "\U0001f1ff") else 1


def divide(text: str, line_length: int, lines: int, max_screens: int) -> list[list[str]]:
    """Divide a text of one line into screens of lines, which are as equal as good breaks allow.

    Args:
        text: The text.
        line_length: The columns of a line; 0 for no limit. A cluster that is wider has a line of its own.
        lines: The maximum number of lines of a screen; 0 for no limit.
        max_screens: The maximum number of screens; where it does not suffice, screens have more lines.
    """
    if not line_length:
        return [[text.strip()]]
    pieces = list(_pieces(text, line_length))
    text_lines = _Divider(pieces, line_length)
    total = len(pieces)
    reach = text_lines.reach(lines or total)
    while len(cuts := text_lines.cuts(0, total, reach)) > max_screens:
        lines *= 2
        reach = text_lines.reach(lines)
    line_reach = text_lines.reach(1)
    screens: list[list[str]] = []
    for start, stop in _spans(0, cuts):
        spans = _spans(start, text_lines.cuts(start, stop, line_reach))
        found = ["".join(piece.text for piece in pieces[first:last]).strip() for first, last in spans]
        screens.append([line for line in found if line])
    return [screen for screen in screens if screen]


def _spans(start: int, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    yield from zip([start, *cuts], cuts, strict=False)


def _pieces(text: str, line_length: int) -> Iterator[Piece]:
    """Yield the pieces of a text; what shows nothing, such as a mark of direction, is a part of one that does."""
    held: Piece | None = None
    invisible = ""
    for run in _SIMPLE_SPACE.sub(r"\1\n", text).split("\n"):
        for unit in _units(run):
            for piece in _fitting(unit, line_length):
                if piece.width:
                    if held is not None:
                        yield held
                    held = _after(invisible, piece, line_length)
                    invisible = ""
                elif held is not None and not held.gap:
                    held = held._replace(text=held.text + piece.text, gap=piece.gap)
                else:
                    # After a space, it belongs to what follows.
                    invisible += piece.text
    if held is not None:
        yield _before(held, invisible, line_length)


def _after(invisible: str, piece: Piece, line_length: int) -> Piece:
    """Put what shows nothing in front of a piece, without its spaces if there is no room for them."""
    width = display_width(invisible) + piece.width
    if width > line_length:
        return piece._replace(text="".join(invisible.split()) + piece.text)
    return piece._replace(text=invisible + piece.text, width=width)


def _before(piece: Piece, invisible: str, line_length: int) -> Piece:
    """Put what shows nothing behind the last piece, without the spaces between if there is no room for them."""
    text = (piece.text + invisible).rstrip()
    width = display_width(text)
    if width > line_length:
        return piece._replace(text=piece.text.rstrip() + "".join(invisible.split()), gap=0)
    return piece._replace(text=text, width=width, gap=0)


@functools.lru_cache(_CACHED_RUNS)
def _units(run: str) -> tuple[str, ...]:
    from uniseg.graphemecluster import grapheme_cluster_boundaries

    # A type in its signature is incomplete.
    from uniseg.linebreak import line_break_boundaries  # pyright: ignore[reportUnknownVariableType]

    if run.isascii() and run.rstrip(" ").isalnum():
        return (run,)
    breaks = sorted({0, len(run), *({*line_break_boundaries(run)} & {*grapheme_cluster_boundaries(run)})})
    return tuple(run[start:stop] for start, stop in pairwise(breaks))


def _fitting(unit: str, line_length: int) -> Iterator[Piece]:
    """Yield a unit as a piece, or in several if it is wider than a line."""
    from uniseg.graphemecluster import grapheme_clusters

    body = unit.rstrip()
    gap = unit[len(body) :]
    width = display_width(body)
    if width <= line_length:
        yield Piece(unit, width, display_width(gap), _COSTS[_kind_of_break(body, gap)])
        return
    part, columns = "", 0
    for cluster in grapheme_clusters(body):
        more = _cluster_width(cluster)
        if not shows(cluster):
            # A space that holds words together, which may be needed as a break nevertheless.
            part += cluster
            if more:
                yield Piece(part, columns, more, _COSTS["other"])
                part, columns = "", 0
            continue
        if part and columns + more > line_length:
            yield Piece(part, columns, 0, _COSTS["inside"])
            part, columns = "", 0
        part += cluster
        columns += more
    yield Piece(part + gap, columns, display_width(gap), _COSTS[_kind_of_break(body, gap)])


def _kind_of_break(body: str, gap: str) -> str:
    last = body.rstrip(_CLOSING)[-1:] or body[-1:]
    if last in _SENTENCE_ENDS:
        return "sentence"
    if body[-1:] in _CLAUSE_ENDS:
        return "clause"
    if gap:
        return "space"
    return "wide" if last and unicodedata.east_asian_width(last) in "WF" else "other"


class _Divider:
    """Divides pieces into parts that are as few as possible, and then as equal as possible."""

    def __init__(self, pieces: Sequence[Piece], line_length: int) -> None:
        self._pieces = pieces
        self._offsets = [0]
        for piece in pieces:
            self._offsets.append(self._offsets[-1] + piece.width + piece.gap)
        self._line_ends = self._fill_lines(line_length)

    def _fill_lines(self, line_length: int) -> list[int]:
        """Return for each piece the end of the longest line that starts with it."""
        ends: list[int] = []
        end = 0
        for start in range(len(self._pieces)):
            end = max(end, start + 1)
            while end < len(self._pieces) and self._width(start, end + 1) <= line_length:
                end += 1
            ends.append(end)
        return ends

    def _width(self, start: int, stop: int) -> int:
        return self._offsets[stop] - self._offsets[start] - self._pieces[stop - 1].gap

    def reach(self, lines: int) -> list[int]:
        """Return for each piece the end of the longest run of lines that starts with it."""
        total = len(self._pieces)
        ends = self._line_ends
        for _ in range(min(lines, total) - 1):
            longer = [end if end == total else self._line_ends[end] for end in ends]
            if longer == ends:
                break
            ends = longer
        return ends

    def cuts(self, start: int, stop: int, reach: Sequence[int]) -> list[int]:
        """Return the ends of the parts from start to stop, none of which exceeds its reach."""
        needed = [0] * (stop - start + 1)
        for index in range(stop - 1, start - 1, -1):
            needed[index - start] = 1 + needed[min(reach[index], stop) - start]
        cuts: list[int] = []
        for remaining in range(needed[0] - 1, 0, -1):
            balance = self._width(start, stop) / (remaining + 1)
            capacity = max(1, self._width(start, reach[start]))
            costs = {
                end: self._pieces[end - 1].cost + ((self._width(start, end) - balance) / capacity) ** 2
                for end in range(start + 1, min(reach[start], stop) + 1)
                # What follows must fit into the remaining parts.
                if needed[end - stop - 1] <= remaining
            }
            start = min(costs, key=costs.__getitem__)
            cuts.append(start)
        return [*cuts, stop]
