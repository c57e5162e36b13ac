"""Draws the screen of a terminal as SVG, in light and dark."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyte.screens import Char, Screen

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

# Black, red, green, yellow, blue, magenta, cyan, white; each has a contrast of 4.5 or more to the background.
_DARK = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (139, 148, 158),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (230, 237, 243),
    ],
)
_LIGHT = TerminalTheme(
    (255, 255, 255),
    (31, 35, 40),
    [
        (87, 96, 106),
        (207, 34, 46),
        (17, 99, 41),
        (125, 78, 0),
        (9, 105, 218),
        (130, 80, 223),
        (27, 124, 131),
        (31, 35, 40),
    ],
)
_THEMES: Mapping[Scheme, TerminalTheme] = {"light": _LIGHT, "dark": _DARK}
_FRAMES: Mapping[Scheme, str] = {"light": "#d0d7de", "dark": "#3d444d"}

# Rich's own form loads a font from elsewhere; this one takes what the reader's system has.
_FORM = """\
<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font: {char_height}px/{line_height}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect x="1" y="1" width="99.8%" height="99%" rx="8" fill="BACKGROUND" stroke="FRAME"/>
<g fill="FRAME"><circle cx="22" cy="22" r="7"/><circle cx="44" cy="22" r="7"/><circle cx="66" cy="22" r="7"/></g>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Step(NamedTuple):
    """A command as it was typed, and what the screen showed for it."""

    command: str
    shown: Text


def screen_text(screen: Screen) -> Text:
    """Return the lines of a screen with their colours, without empty ones at the end."""
    text = Text("\n").join(
        Text.assemble(*((line[x].data, _style(line[x])) for x in range(screen.columns)))
        for line in (screen.buffer[y] for y in range(screen.lines))
    )
    text.rstrip()
    return text


def svg(steps: Iterable[Step], columns: int, scheme: Scheme) -> str:
    """Draw steps below each other, each after its prompt."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=columns,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for number, step in enumerate(steps):
        if number:
            console.print()
        console.print(Text.assemble(("$ ", "bright_black"), (step.command, "bold")))
        console.print(step.shown)
    # Room below the last line.
    console.print()
    theme = _THEMES[scheme]
    form = _FORM.replace("BACKGROUND", theme.background_color.hex).replace("FRAME", _FRAMES[scheme])
    return console.export_svg(theme=theme, code_format=form, unique_id="t")


def _style(character: Char) -> Style:
    return Style(
        color=_colour(character.fg),
        bgcolor=_colour(character.bg),
        bold=character.bold or None,
        italic=character.italics or None,
        underline=character.underscore or None,
        reverse=character.reverse or None,
    )


def _colour(name: str) -> str | None:
    """Return Rich's name of one of pyte's colours."""
    if name == "default":
        return None
    if name == "brown":
        return "yellow"
    if name.startswith("bright"):
        return f"bright_{name.removeprefix('bright').replace('brown', 'yellow')}"
    # Others are RRGGBB; no name that is left has six letters.
    return name if name.isalpha() and len(name) != 6 else f"#{name}"
