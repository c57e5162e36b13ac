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
        metavar="FILTER=VALUE",
        help="For example name_cont=moon or created_at_gteq=2026-01-31. Can be repeated.",
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Maximum number of items.")]
PageSizeOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of items per request.")]

_YEAR = 365 * 86_400


def _parse_timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    # NaN fails this comparison, too.
    if not 0 <= seconds <= _YEAR:
        raise typer.BadParameter(f"{text!r} is not a number of seconds from 0 to {_YEAR:,} (one year).")
    return seconds


WaitOption = Annotated[bool, typer.Option("--wait", "-w", help="Wait until processing has finished.")]
TimeoutOption = Annotated[
    float,
    typer.Option(parser=_parse_timeout, metavar="SECONDS", help="Maximum time to wait. Processing continues after it."),
]


def parse_filters(texts: Iterable[str] | None) -> dict[str, str | list[str]] | None:
    """Parse `--filter` options; a repeated filter has all its values.

    Raises:
        typer.BadParameter: An option has no `=`.
    """
    found: dict[str, list[str]] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} has no '=': write FILTER=VALUE, such as name_cont=moon.")
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()} or None


def parse_sort(text: str | None, order_type: object) -> str | None:
    """Check a `--sort` option.

    Args:
        text: The option.
        order_type: The generated `Literal` type of the orders that the API's document allows.

    Raises:
        typer.BadParameter: The order is not one of them.
    """
    orders: tuple[str, ...] = get_args(order_type)
    if text is not None and text not in orders:
        names = ", ".join(order for order in orders if not order.startswith("-"))
        raise typer.BadParameter(f"{text!r} is not a sort order: choose one of {names}, or -NAME for descending.")
    return text
