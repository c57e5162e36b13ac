"""How a command is written: a function whose first parameter is a `CommandContext`.

`command` adds the options that every command has, creates the `CommandContext` and closes it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, Self

import typer
from typer.core import TyperGroup

from contentgroove.errors import ContentGrooveError

from .api_key import find_api_key
from .failures import CommandError, ExitCode
from .harmless import single_line
from .output import Output, write_error
from .streams import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import TracebackType

    from contentgroove import AsyncContentGroove, ContentGroove, RequestInfo, ResponseInfo

P = ParamSpec("P")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show each request, and tracebacks of errors.")]
KeyFileOption = Annotated[
    Path | None, typer.Option("--api-key-file", metavar="FILE", help="Read the API key from this file.")
]
BaseUrlOption = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="Call another service, such as the mock.")
]

_COMMON = {
    "as_json": (JsonOption, False),
    "quiet": (QuietOption, False),
    "debug": (DebugOption, False),
    "api_key_file": (KeyFileOption, None),
    "base_url": (BaseUrlOption, None),
}

OPTION_NAMES = frozenset({"--json", "--quiet", "-q", "--debug", "--api-key-file", "--base-url"})
"""The options of every command, as users write them."""


class GroupWithHelp(TyperGroup):
    """A group that shows its help when it is called alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Treat a call without arguments as --help."""
        return super().parse_args(ctx, args if args or ctx.resilient_parsing else ["--help"])


class CommandContext:
    """One run of a command: its output and its client.

    Attributes:
        out: Prints its results and notes.
    """

    def __init__(self, out: Output, *, debug: bool, api_key_file: Path | None, base_url: str | None) -> None:
        self.out = out
        self._debug = debug
        self._api_key_file = api_key_file
        self._base_url = base_url
        self._client: ContentGroove | None = None

    @property
    def client(self) -> ContentGroove:
        """The client, created on first use.

        Raises:
            CommandError: There is no valid API key.
        """
        if self._client is None:
            self._client = self.new_client()
        return self._client

    def new_client(self, **options: Any) -> ContentGroove:
        """Create a client with further options; the caller must close it.

        Raises:
            CommandError: There is no valid API key.
        """
        from contentgroove import ContentGroove

        return ContentGroove(**self._settings(), **options)

    def async_client(self) -> AsyncContentGroove:
        """Create an async client; the caller must close it.

        Raises:
            CommandError: There is no valid API key.
        """
        from contentgroove import AsyncContentGroove

        return AsyncContentGroove(**self._settings())

    def confirm(self, question: str, *, yes: bool) -> None:
        """Require a confirmation before something that cannot be undone.

        Args:
            question: The question to the user.
            yes: True if an option has confirmed it.

        Raises:
            CommandError: The user declined, or there is no terminal.
        """
        if yes:
            return
        if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise CommandError(
                ExitCode.USAGE,
                "This needs a confirmation, but there is no terminal to request it.",
                "Pass --yes to confirm.",
            )
        if not typer.confirm(single_line(question), err=True):
            raise CommandError(ExitCode.FAILED, "Nothing was changed.")

    @contextlib.contextmanager
    def mention_created_on_error(self, subject: str, id_: str) -> Generator[None]:
        """Print the id of what was created if the block fails, so that nothing that was paid for is lost.

        Args:
            subject: `media` or `clip`.
            id_: Its id.
        """
        try:
            yield
        except (ContentGrooveError, KeyboardInterrupt):
            self.out.warn(f"{subject.capitalize()} {id_} was created; wait for it: contentgroove {subject}s wait {id_}")
            raise

    def _settings(self) -> dict[str, Any]:
        hooks = {"on_request": _show_request, "on_response": _show_response} if self._debug else {}
        key = find_api_key(self._api_key_file, os.environ)
        return {"api_key": key, "base_url": self._base_url, **hooks}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()


def group(name: str, summary: str) -> typer.Typer:
    """Create a group of commands, such as `medias`.

    Args:
        name: Its name.
        summary: The first line of its help.
    """
    return typer.Typer(
        name=name,
        help=summary,
        cls=GroupWithHelp,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def command(
    app: typer.Typer, name: str, *, examples: Sequence[str] = (), needs_client: bool = True
) -> Callable[[Callable[Concatenate[CommandContext, P], None]], Callable[Concatenate[CommandContext, P], None]]:
    """Return a decorator that adds a command to a group.

    The function's first parameter takes the `CommandContext`; the others are typer's. Its docstring is the help.

    Args:
        app: The group.
        name: The command's name.
        examples: Command lines at the end of its help, without the leading `contentgroove`.
        needs_client: True if it calls the service, and so has --api-key-file and --base-url.
    """

    def add(function: Callable[Concatenate[CommandContext, P], None]) -> Callable[Concatenate[CommandContext, P], None]:
        perform: Callable[..., None] = function

        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            common = {key: arguments.pop(key, default) for key, (_, default) in _COMMON.items()}
            out = Output(json=common["as_json"], quiet=common["quiet"])
            with CommandContext(
                out, debug=common["debug"], api_key_file=common["api_key_file"], base_url=common["base_url"]
            ) as started:
                perform(started, **arguments)

        _add_common_options(run, function, needs_client=needs_client)
        app.command(name, epilog=_epilog(examples))(run)
        return function

    return add


def _add_common_options(run: Callable[..., None], function: Callable[..., None], *, needs_client: bool) -> None:
    # typer derives a command's options from its signature.
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keys = [key for key in _COMMON if needs_client or key not in {"api_key_file", "base_url"}]
    common = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=_COMMON[key][1], annotation=_COMMON[key][0])
        for key in keys
    ]
    run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]  # inspect reads it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *common)}
    del run.__wrapped__  # type: ignore[attr-defined]  # functools.wraps set it; its hints are not run's


def _epilog(examples: Sequence[str]) -> str | None:
    # \b keeps the line breaks.
    return "\b\nExamples:\n" + "\n".join(f"  contentgroove {example}" for example in examples) if examples else None


def _show_request(request: RequestInfo) -> None:
    write_error(f"debug: {single_line(str(request))}")


def _show_response(response: ResponseInfo) -> None:
    write_error(f"debug: {response.status_code} after {response.elapsed:.2f} s")
