"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        "-f",
        metavar="NAME_MATCHER=VALUE",
        help="Such as name_cont=moon, created_at_gteq=2026-01-31; repeat it for several.",
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many at most.")]
PageSizeOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="How many the service is asked for at once.")
]


_YEAR = 365 * 86_400


def _parse_timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    # Not-a-number fails this, too.
    if not 0 <= seconds <= _YEAR:
        raise typer.BadParameter(f"{text!r} is no number of seconds from 0 to {_YEAR:,} (a year).")
    return seconds


WaitOption = Annotated[bool, typer.Option("--wait", "-w", help="Wait until processing has ended.")]
TimeoutOption = Annotated[
    float,
    typer.Option(
        parser=_parse_timeout, metavar="SECONDS", help="How long to wait for processing; it goes on afterwards."
    ),
]


def parse_filters(texts: Iterable[str] | None) -> dict[str, str | list[str]] | None:
    """Read `--filter` options; a name given twice has both values.

    Raises:
        typer.BadParameter: One of them has no `=`.
    """
    found: dict[str, list[str]] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} has no '=': write NAME_MATCHER=VALUE, such as name_cont=moon.")
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()} or None


def parse_sort(text: str | None, offered: object) -> str | None:
    """Check a `--sort` option.

    Args:
        text: The option.
        offered: The generated `Literal` type of the orders that the API's document offers.

    Raises:
        typer.BadParameter: It is not offered.
    """
    orders: tuple[str, ...] = get_args(offered)
    if text is not None and text not in orders:
        names = ", ".join(order for order in orders if not order.startswith("-"))
        raise typer.BadParameter(f"{text!r} is no order of this list: choose one of {names}, or -NAME for descending.")
    return text
