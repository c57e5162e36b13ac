"""Do the same to several ids, and go on after one that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from contentgroove.errors import AuthenticationError, ContentGrooveError

from .failures import ExitCode, combined_exit_code, describe_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .command import CommandContext


def for_each_id(run: CommandContext, ids: Sequence[str], act: Callable[[str], None]) -> None:
    """Do something to each id; an error is shown and the next one begun.

    Raises:
        typer.Exit: Some failed; its code is theirs, or PARTIAL.
        AuthenticationError: The key is refused; no other id would fare better.
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
