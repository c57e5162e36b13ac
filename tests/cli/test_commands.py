"""The frame: help, keys, completion, commands of other packages, and what is loaded when."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from contentgroove import APIConnectionError
from contentgroove.cli import app
from contentgroove.cli.app import GROUPS
from contentgroove.cli.command import OPTION_NAMES

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

ROOT = Path(__file__).parents[2]


def entry_points() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = project["entry-points"]["contentgroove.commands"]
    return found


def all_commands() -> list[tuple[str, ...]]:
    """Return every command of the groups."""
    from typer.main import get_group

    found: list[tuple[str, ...]] = []
    for group in GROUPS:
        module: Any = __import__(f"contentgroove.cli.{group}", fromlist=["app"])
        found += [(group, command) for command in get_group(module.app).commands]
    return found


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()])
def test_help_teaches(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    """Called alone or with --help, it lists the commands, where the key comes from, and examples."""
    ran = cli(*arguments)
    assert (ran.code, ran.err) == (0, "")
    for word in (*GROUPS, "mock", "CONTENTGROOVE_API_KEY", "Examples:", "Exit codes:"):
        assert word in ran.out


@pytest.mark.parametrize("command", all_commands(), ids=" ".join)
def test_each_command_has_help_with_examples(cli: CommandLine, command: tuple[str, ...]) -> None:
    """The help of each command has a description, an example and --json."""
    ran = cli(*command, "--help")
    assert ran.code == 0
    assert f"contentgroove {' '.join(command)}" in ran.out.partition("Examples:")[2]
    assert "--json" in ran.out


def test_a_group_alone_shows_its_help(cli: CommandLine) -> None:
    """`contentgroove medias` lists the commands for medias."""
    assert cli("medias").out == cli("medias", "--help").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("media",), "There is no command 'media'. Did you mean 'medias'?"),
        (("upload", "a.mp4"), "There is no command 'upload'. Did you mean 'medias upload'?"),
        (("medias", "lst"), "There is no command 'lst'. Did you mean 'list'?"),
        (("medias", "qqqq"), "There is no command 'qqqq'.\n"),
        (("spec", "dif"), "There is no command 'dif'. Did you mean 'diff'?"),
        (("list",), "Did you mean 'medias list', 'clips list'"),
        (("uplod", "a.mp4"), "There is no command 'uplod'. Did you mean 'medias upload'?"),
        (("medias", "show"), "MEDIA-ID is missing."),
        (("medias", "results"), "--job is missing."),
        (("--jason", "medias", "list"), "There is no option --jason. Did you mean '--json'?"),
        (("medias", "--jsn", "list"), "There is no option --jsn. Did you mean '--json'?"),
        (("medias", "update", "m", "--naem", "x"), "There is no option --naem. Did you mean '--name'?"),
        (("mock", "--prt", "1"), "There is no option --prt. Did you mean '--port'?"),
        (("mcp", "--readonly"), "There is no option --readonly. Did you mean '--read-only'?"),
        (("medias", "list", "--sort", "nam"), "--sort: 'nam' is not one of created_at, name, original_created_at"),
        (("medias", "list", "--sort", "-creted_at"), "Did you mean '-created_at'?"),
        (("medias", "list", "--filter", "name"), "--filter: 'name' is not FILTER=VALUE"),
        (("medias", "list", "--limit", "x"), "--limit: 'x' is not a whole number."),
        (("medias", "list", "--limit", "0"), "--limit: must be at least 1, not 0."),
        (("medias", "upload", "x", "--concurrency", "99"), "--concurrency: must be at least 1 and at most 32, not 99."),
        (("medias", "list", "--limit"), "--limit needs a value.\n  Help: contentgroove medias list --help"),
        (("medias", "list", "--json=yes"), "--json takes no value.\n  Help: contentgroove medias list --help"),
        (("medias", "list", "a", "b"), "Unexpected argument: a b."),
        (
            ("clips", "export", "m", "--format", "str"),
            "--format: 'str' is not one of srt, vtt, csv, json. Did you mean 'srt'?",
        ),
        (("webhooks", "events", "--inbox", "x", "--state", "dea"), "Did you mean 'dead'?"),
        (("medias", "upload", "x", "--timeout", "5"), "--timeout is how long --wait waits"),
        (("medias", "create", "https://x/y", "--timeout", "5"), "--timeout is how long --wait waits"),
    ],
)
def test_wrong_usage(cli: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    """The mistake is named, in two lines in the same style and with code 2, before anything is sent."""
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert words in ran.err
    hint = ran.err.splitlines()[1:]
    assert not hint or re.fullmatch(r"  Help: contentgroove.* --help", hint[0])


@pytest.mark.parametrize("group", [(), ("medias",)])
@pytest.mark.parametrize("option", [("--json",), ("-q",), ("--base-url", "URL")])
def test_an_option_before_its_command(cli: CommandLine, group: tuple[str, ...], option: tuple[str, ...]) -> None:
    """The error shows where it belongs."""
    ran = cli(*group, *option, "medias", "list")
    assert ran.code == 2
    assert ran.err == (
        f"error: {option[0]} is an option of each command.\n"
        f"  Put it after the command: contentgroove medias list {' '.join(option)}\n"
    )


def test_the_options_of_every_command(cli: CommandLine) -> None:
    """Every command has them."""
    text = cli("medias", "list", "--help").out
    for name in OPTION_NAMES:
        assert name in text


def test_no_key(cli: CommandLine) -> None:
    """Without a key the error names the ways to pass one."""
    ran = cli("medias", "list", key="")
    assert ran.code == 3
    assert "CONTENTGROOVE_API_KEY" in ran.err
    assert "--api-key-file" in ran.err


def test_a_key_of_a_file(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file named by option or variable works without a key in the environment; the option comes first."""
    media_id = cli.media()
    good, bad = cli.folder / "good", cli.folder / "bad"
    good.write_text(f"{cli.key}\n", encoding="utf-8")
    bad.write_text("another-key", encoding="utf-8")
    assert media_id in cli("medias", "list", "--api-key-file", str(good), key="another-key").out
    monkeypatch.setenv("CONTENTGROOVE_API_KEY_FILE", str(good))
    assert media_id in cli("medias", "list", key="").out
    monkeypatch.setenv("CONTENTGROOVE_API_KEY_FILE", str(bad))
    assert media_id in cli("medias", "list").out
    assert media_id in cli("medias", "list", "--api-key-file", str(good), key="").out


@pytest.mark.parametrize("content", ["", "two words", "canary\nkey", "x" * 5000, None])
def test_an_unusable_key_file(cli: CommandLine, content: str | None) -> None:
    """The error names it, but not its content."""
    file = cli.folder / "key"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    ran = cli("medias", "list", "--api-key-file", str(file))
    assert ran.code == 3
    assert str(file) in ran.err
    assert "canary" not in ran.err.replace(str(file), "")


def test_there_is_no_option_for_the_key(cli: CommandLine) -> None:
    """Other users of a machine can read the arguments of programs."""
    assert cli("medias", "list", "--api-key", "x").code == 2


def complete(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """Complete a line as bash does, in this process."""
    environment = {
        "_CONTENTGROOVE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = cli()
    assert (ran.code, ran.err) == (0, "")
    return ran.out.split()


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("contentgroove ", {"medias", "clips", "mock"}),
        ("contentgroove med", {"medias"}),
        ("contentgroove medias up", {"update", "upload"}),
        ("contentgroove clips export --fo", {"--format"}),
        ("contentgroove clips export --format ", {"srt", "vtt", "csv", "json"}),
    ],
)
def test_completion(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, line: str, choices: set[str]) -> None:
    """Names of commands, options and choices are completed."""
    assert choices <= set(complete(cli, monkeypatch, line))


@pytest.mark.process
def test_completion_says_what_is_completed(cli: CommandLine) -> None:
    """Shells that show help get whole sentences, each in one line."""
    arguments = {"_TYPER_COMPLETE_ARGS": "contentgroove medias ", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    lines = cli.child(environment={"_CONTENTGROOVE_COMPLETE": "complete_fish", **arguments}).out.splitlines()
    assert (
        "resolve\tSettle an upload that ended with exit code 13: it is unknown whether its media was created." in lines
    )
    assert all(re.match(r"[a-z]+\t[A-Z].*\.$", line) for line in lines)


@pytest.mark.process
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(cli: CommandLine, shell: str) -> None:
    """The script that a shell reads names the program."""
    ran = cli.child(environment={"_CONTENTGROOVE_COMPLETE": f"source_{shell}"})
    assert ran.code == 0
    assert "_CONTENTGROOVE_COMPLETE=complete_" in ran.out
    assert "contentgroove" in ran.out


@pytest.mark.process
def test_completion_of_the_binary_in_bash(cli: CommandLine) -> None:
    """Bash itself accepts the script."""
    script = cli.child(environment={"_CONTENTGROOVE_COMPLETE": "source_bash"}).out
    done = subprocess.run(  # noqa: S603 - the script is ours
        ["bash", "--norc", "-c", f"{script}\ncomplete -p contentgroove"],  # noqa: S607 - the user's shell
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=30,
    )
    assert "contentgroove" in done.stdout
    assert done.stderr == ""


class Entry:
    """An entry point of another package."""

    def __init__(self, name: str, register: Any) -> None:
        self.name = name
        self._register = register

    def load(self) -> Any:
        """Import it."""
        if isinstance(self._register, Exception):
            raise self._register
        return self._register


def test_commands_of_other_packages(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point adds a command; one that cannot be loaded has an error of its own and affects no other."""

    def register(target: Any) -> None:
        def greet() -> None:
            """Say hello."""
            print("hello")  # noqa: T201 - a command prints

        target.command("greet")(greet)

    entries = [
        Entry("greet", register),
        Entry("broken", ImportError("No module named 'absent'", name="absent")),
        Entry("wrong", AttributeError("no register")),
    ]
    monkeypatch.setattr(app, "_command_entries", lambda: {entry.name: entry for entry in entries})
    ran = cli("--help")
    assert ran.code == 0
    assert "Say hello." in ran.out
    assert cli("greet").out == "hello\n"
    ran = cli("broken")
    assert ran.code == 2
    assert "absent" in ran.err
    assert "pip install" in ran.err.splitlines()[1]
    ran = cli("wrong")
    assert ran.code == 1
    assert "no register" in ran.err


def test_exit_codes_of_other_packages_are_kept(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are their messages; a socket's broken pipe is not that of the output."""

    def register(target: Any) -> None:
        def end(mode: str) -> None:
            if mode == "message":
                sys.exit("no more")
            if mode == "code":
                raise typer.Exit(42)
            error = APIConnectionError("The connection broke.")
            error.__context__ = BrokenPipeError()
            raise error

        target.command("end")(end)

    monkeypatch.setattr(app, "_command_entries", lambda: {"end": Entry("end", register)})
    assert cli("end", "message") == (1, "", "no more\n")
    assert cli("end", "code") == (42, "", "")
    assert cli("end", "connection") == (7, "", "error: The connection broke.\n")


def test_completion_next_to_a_broken_package(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that cannot be loaded is not completed; the others are."""
    monkeypatch.setattr(
        app, "_command_entries", lambda: {"broken": Entry("broken", ImportError("No module named 'absent'"))}
    )
    monkeypatch.setenv("_CONTENTGROOVE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "contentgroove ")
    monkeypatch.setenv("COMP_CWORD", "1")
    ran = cli()
    assert (ran.code, ran.out.split(), ran.err) == (0, list(GROUPS), "")


def test_no_group_hides_a_command_of_a_package() -> None:
    """Names are unique."""
    assert not GROUPS.keys() & entry_points().keys()


def test_groups_are_found_without_searching(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own commands do not search the installed packages for others, which takes a while."""
    monkeypatch.setattr(app, "_command_entries", lambda: pytest.fail("The packages were searched."))
    assert cli("medias", "--help").code == 0
    assert cli("medias", "list").code == 0


LOADED = """
import json, sys
sys.argv = ["contentgroove", *sys.argv[1:]]
from contentgroove.cli import main
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)))
"""


TYPER_ALONE = """
import json, sys
import typer
from typer.main import get_command
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
@app.callback()
def root(*, flag: bool = False): pass
@app.command()
def first(*, names: list[str] | None = None, number: int | None = typer.Option(None, min=1)): pass
@app.command()
def second(): pass
for arguments in (["--help"], ["first", "--help"], ["first", "--names", "a", "--number", "1"]):
    get_command(app)(args=arguments, standalone_mode=False)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded_by_typer() -> set[str]:
    """What typer alone loads: 0.29 checks options with pydantic, which searches for plugins."""
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", TYPER_ALONE], capture_output=True, encoding="utf-8", check=True, timeout=30
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        (["--version"], {"typer", "rich", "httpx", "msgspec", "importlib.metadata"}),
        (["--help"], {"rich", "httpx", "contentgroove._sync.client", "contentgroove.cli.medias", "starlette"}),
        (["medias", "--help"], {"rich", "httpcore", "httpx", "importlib.metadata", "contentgroove.cli.clips"}),
        (["medias", "list"], {"rich", "contentgroove.cli.clips", "asyncio", "importlib.metadata"}),
    ],
)
def test_what_is_loaded(arguments: list[str], unused: set[str], loaded_by_typer: set[str]) -> None:
    """A command does not load modules that it does not use."""
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", LOADED, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={"CONTENTGROOVE_API_KEY": "k", "CONTENTGROOVE_BASE_URL": "nothing"},
        timeout=30,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "contentgroove.cli" in loaded
    assert loaded & (unused - loaded_by_typer if "typer" in loaded else unused) == set()


WITHOUT = """
import sys
missing = sys.argv.pop(1)
class Without:
    def find_spec(self, name, path=None, target=None):
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without())
from contentgroove.cli import main
main()
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("module", "arguments", "needed"),
    [
        ("starlette", ["mock"], "`contentgroove mock` needs starlette: pip install 'contentgroove[mock]'"),
        ("yaml", ["spec", "diff"], "`contentgroove spec diff` needs yaml: pip install 'contentgroove[spec]'"),
        ("jsonschema_rs", ["mcp"], "`contentgroove mcp` needs jsonschema_rs: pip install 'contentgroove[mcp]'"),
    ],
)
def test_commands_without_their_extra(module: str, arguments: list[str], needed: str) -> None:
    """They name the missing module and the command that installs it."""
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-W", "error", "-c", WITHOUT, module, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == f"error: {needed}\n"


@pytest.mark.process
def test_version(cli: CommandLine) -> None:
    """`--version` prints the same with and without typer."""
    from contentgroove import __version__

    assert cli("--version").out == cli.child("--version").out == f"contentgroove {__version__}\n"


def test_commands_are_documented() -> None:
    """docs/cli.md lists each command of each group."""
    documented = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for group, command in all_commands():
        (row,) = [line for line in documented.splitlines() if line.startswith(f"| `{group}` |")]
        assert f"`{command}`" in row
