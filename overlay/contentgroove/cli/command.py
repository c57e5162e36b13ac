"""How a command is written: a function whose first parameter is a `CommandContext`.

`command` adds the options that every command has, creates the `CommandContext` and closes it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from contentgroove._core.secret import Secret
from contentgroove.errors import AuthenticationError, ConfigurationError, ContentGrooveError, NotFoundError

from .exit_codes import CommandError, ErrorReport, ExitCode, combined_exit_code, describe_error
from .help_pages import CommandWithHelp, GroupWithHelp, epilog
from .output import Output, is_terminal, single_line, write_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from contentgroove import AsyncContentGroove, ContentGroove, RequestInfo, ResponseInfo

P = ParamSpec("P")

_KEY_FILE = typer.Option("--api-key-file", metavar="FILE", help="Read the API key from this file.")
_BASE_URL = typer.Option("--base-url", metavar="URL", help="Call another service, such as the mock.")
_COMMON: dict[str, tuple[object, object]] = {
    "as_json": (Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")], False),
    "quiet": (Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.")], False),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show each request, and tracebacks of errors.")], False),
    "api_key_file": (Annotated[Path | None, _KEY_FILE], None),
    "base_url": (Annotated[str | None, _BASE_URL], None),
}
"""The options of every command: annotations and defaults of their parameters."""

OPTION_NAMES = {
    "--json": "--json",
    "--quiet": "--quiet",
    "-q": "-q",
    "--debug": "--debug",
    "--api-key-file": "--api-key-file FILE",
    "--base-url": "--base-url URL",
}
"""The options of every command, and how users write them."""

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""Ctrl-C, the signal of service managers, and Ctrl-Break, the only one that programs can send on Windows."""

KEY_FILE_VARIABLE = "CONTENTGROOVE_API_KEY_FILE"
_MAX_SECRET_FILE = 4096


@dataclass
class CommandContext:
    """One run of a command: its output, the common options, and clients (`CommandError` without a valid API key)."""

    out: Output
    debug: bool
    api_key_file: Path | None
    base_url: str | None

    @functools.cached_property
    def client(self) -> ContentGroove:
        """The client, created on first use."""
        return self.new_client()

    def new_client(self, **options: Any) -> ContentGroove:
        """Create a client with further options; the caller must close it."""
        from contentgroove import ContentGroove

        return ContentGroove(**self._settings(), **options)

    def async_client(self) -> AsyncContentGroove:
        """Create an async client; the caller must close it."""
        from contentgroove import AsyncContentGroove

        return AsyncContentGroove(**self._settings())

    def delete_each(self, subject: str, ids: Sequence[str], delete: Callable[[str], None], *, yes: bool) -> None:
        """Delete several items of the same kind after a confirmation, and print a line for each."""
        if not yes and not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            message = "This needs a confirmation, but there is no terminal to request it."
            raise CommandError(ExitCode.USAGE, message, "Pass --yes to confirm.")
        items = f"{subject} {ids[0]}" if len(ids) == 1 else f"{len(ids)} {subject}s"
        # (assumed: media-deletes-clips, deleted-is-gone)
        question = f"Delete {items}{' and all clips' * (subject == 'media')}?"
        if not yes and not typer.confirm(single_line(question), err=True):
            raise CommandError(ExitCode.FAILED, "Nothing was changed.")

        def delete_one(id_: str) -> None:
            delete(id_)
            self.out.line({"id": id_, "deleted": True}, (id_, "deleted"))

        self.for_each_id(ids, delete_one)

    def for_each_id(self, ids: Sequence[str], act: Callable[[str], None]) -> None:
        """Call a function with each id; an error is printed, and the next id follows."""
        exits: list[ExitCode] = []
        for id_ in ids:
            try:
                act(id_)
            except AuthenticationError:
                # Every other id would fail, too.
                raise
            except ContentGrooveError as error:
                failure = self.describe(error)
                self.out.failure(failure)
                exits.append(failure.exit)
            else:
                exits.append(ExitCode.OK)
        if code := combined_exit_code(exits):
            raise typer.Exit(code)

    def describe(self, error: ContentGrooveError) -> ErrorReport:
        """Return how an error is shown; that of a wrong id names a similar one."""
        failure = describe_error(error)
        if isinstance(error, NotFoundError):
            from .suggestions import did_you_mean_id

            failure = failure._replace(hint=(did_you_mean_id(self.client, error) or failure.hint).strip())
        return failure

    @contextlib.contextmanager
    def mention_created_on_error(self, subject: str, id_: str) -> Generator[None]:
        """Print the id of what was created if the block fails, so that nothing that was paid for is lost."""
        try:
            yield
        except (ContentGrooveError, KeyboardInterrupt):
            self.out.warn(f"{subject.capitalize()} {id_} was created; wait for it: contentgroove {subject}s wait {id_}")
            raise

    def _settings(self) -> dict[str, Any]:
        hooks = {"on_request": _print_request, "on_response": _print_response} if self.debug else {}
        return {"api_key": find_api_key(self.api_key_file), "base_url": self.base_url, **hooks}

    def close(self) -> None:
        """Close the client, if it was created."""
        if "client" in vars(self):
            self.client.close()


def find_api_key(key_file: Path | None) -> Secret:
    """Return the key of --api-key-file, CONTENTGROOVE_API_KEY or CONTENTGROOVE_API_KEY_FILE, the first that is set.

    It is never an argument, which other users of the machine could read.
    """
    from contentgroove._core.settings import API_KEY_VARIABLE, check_key
    from contentgroove._io.client_options import read_variable

    key = read_variable(API_KEY_VARIABLE)
    default_file = os.environ.get(KEY_FILE_VARIABLE)
    try:
        if key_file is not None:
            return check_key(read_secret(key_file, "API key", ExitCode.AUTH), f"The content of {key_file} is")
        if key is not None:
            return check_key(key, f"{API_KEY_VARIABLE} is")
        if default_file:
            content = read_secret(Path(default_file), "API key", ExitCode.AUTH)
            return check_key(content, f"The content of {default_file} ({KEY_FILE_VARIABLE}) is")
    except ConfigurationError as error:
        raise CommandError(ExitCode.AUTH, error.message) from error
    from .suggestions import misspelt_variables

    hint = "Create a key at https://app.contentgroove.com/api_keys."
    for name, meant in misspelt_variables((API_KEY_VARIABLE, KEY_FILE_VARIABLE)).items():
        hint = f"The environment has {name}. Did you mean {meant}?"
    message = f"There is no API key: set {API_KEY_VARIABLE}, or put it into a file and pass --api-key-file FILE."
    raise CommandError(ExitCode.AUTH, message, hint)


def read_secret(path: Path, subject: str, exit_code: ExitCode) -> Secret:
    """Read a file that contains only a key or a token (the subject of errors)."""
    try:
        secret = _read_short_file(path)
    except OSError as error:
        raise CommandError(exit_code, f"Cannot read the {subject} file {path}: {error.strerror}.") from error
    if secret is None:
        raise CommandError(
            exit_code,
            f"The {subject} file {path} is not UTF-8 text of at most {_MAX_SECRET_FILE:,} bytes.",
            f"It must contain only the {subject}.",
        )
    return secret


def _read_short_file(path: Path) -> Secret | None:
    with path.open("rb") as file:
        content = file.read(_MAX_SECRET_FILE + 1)
    try:
        return Secret(content.decode().strip()) if len(content) <= _MAX_SECRET_FILE else None
    except UnicodeDecodeError:
        return None


def group(name: str, summary: str) -> typer.Typer:
    """Create a group of commands, such as `medias`."""
    return typer.Typer(
        name=name,
        help=summary,
        cls=GroupWithHelp,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def command(
    app: typer.Typer,
    name: str,
    *,
    examples: Sequence[str],
    exit_codes: Mapping[int, str] | None = None,
    needs_client: bool = True,
) -> Callable[[Callable[Concatenate[CommandContext, P], None]], Callable[Concatenate[CommandContext, P], None]]:
    """Return a decorator that adds a command to a group.

    The function's first parameter takes the `CommandContext`; the others are typer's. Its docstring is the help.

    The examples are written without the leading `contentgroove`. `exit_codes` are those that mean something special.
    Only a command that calls the service has --api-key-file and --base-url.
    """

    def add(function: Callable[Concatenate[CommandContext, P], None]) -> Callable[Concatenate[CommandContext, P], None]:
        perform: Callable[..., None] = function

        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            common = {key: arguments.pop(key, default) for key, (_, default) in _COMMON.items()}
            out = Output(json=common.pop("as_json"), quiet=common.pop("quiet"))
            with contextlib.closing(CommandContext(out, **common)) as context:
                try:
                    perform(context, **arguments)
                except NotFoundError as error:
                    raise CommandError(*context.describe(error)) from error

        _add_common_options(run, function, needs_client=needs_client)
        app.command(name, cls=CommandWithHelp, epilog=epilog(examples, exit_codes))(run)
        return function

    return add


def own_command(
    app: typer.Typer, name: str, *, examples: Sequence[str], exit_codes: Mapping[int, str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds a command with its own options alone; its help looks like all others."""
    return app.command(name, cls=CommandWithHelp, epilog=epilog(examples, exit_codes))


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


def _print_request(request: RequestInfo) -> None:
    write_error(f"debug: {single_line(str(request))}")


def _print_response(response: ResponseInfo) -> None:
    write_error(f"debug: {response.status_code} after {response.elapsed:.2f} s")
