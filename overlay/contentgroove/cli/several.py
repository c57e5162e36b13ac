"""The same action for several ids, which continues after a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from contentgroove.errors import AuthenticationError, ContentGrooveError

from .failures import ExitCode, combined_exit_code, describe_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .command import CommandContext


def for_each_id(run: CommandContext, ids: Sequence[str], act: Callable[[str], None]) -> None:
    """Call a function with each id; an error is printed, and the next id follows.

    Raises:
        typer.Exit: A call failed; the code is the one that all ids share, else PARTIAL.
        AuthenticationError: The key was rejected, as it would be for every other id.
    """
    exits: list[ExitCode] = []
    for id_ in ids:
        try:
            act(id_)
        except AuthenticationError:
            raise
        except ContentGrooveError as error:
            failure = describe_error(error)
            run.out.failure(failure)
            exits.append(failure.exit)
        else:
            exits.append(ExitCode.OK)
    if code := combined_exit_code(exits):
        raise typer.Exit(code)
