"""The pytest plugin: a simulated service for each test that requests one, and contract checks of every exchange.

Fixtures:

- `contentgroove_simulator`: a `Simulator` on a clock that the test moves. It is served on loopback, and while the
  test runs `CONTENTGROOVE_BASE_URL` and `CONTENTGROOVE_API_KEY` point at it, so that an application's own
  `ContentGroove()` reaches it. Clients made while the test runs use its clock: a wait moves the clock and takes no
  time.
- `contentgroove_client`, `async_contentgroove_client`: clients of it.
- `contentgroove_options`: override it to set the `Simulator`'s arguments (`policy`, `webhook_client`, …).
- `contentgroove_checker`: the contract checker, for further exchanges and webhooks.

An exchange that violates the contract fails the test that made it, unless the test does so on purpose and is marked
`@pytest.mark.contentgroove_violations("why")`. Options: `--contentgroove-prism`,
`--contentgroove-coverage=FILE`, `--contentgroove-fail-under=N`, and as settings of the configuration file as well,
`--contentgroove-allow=NAME` (`contentgroove_allow`) and `--contentgroove-behaviour` (`contentgroove_behaviour`).
"""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from contentgroove import AsyncContentGroove, ContentGroove

    from contentgroove_mock import Simulator
    from contentgroove_mock.contract import Checker, Violation
    from contentgroove_mock.coverage.session import PluginSession

_WORKER_OUTPUT = "contentgroove_coverage"
_MARKER = "contentgroove_violations"
_ALLOW, _BEHAVIOUR = "contentgroove_allow", "contentgroove_behaviour"
_SESSION = pytest.StashKey["PluginSession"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("contentgroove", "ContentGroove: simulated service and contract")
    group.addoption(
        "--contentgroove-prism",
        action="store_true",
        help="also send everything through Prism, as a second check of the contract (needs the extra prism)",
    )
    group.addoption(
        "--contentgroove-coverage",
        action="append",
        default=[],
        metavar="FILE",
        help="report the coverage of the contract: FILE.json, FILE.xml (JUnit) or FILE.html; repeatable",
    )
    group.addoption(
        "--contentgroove-fail-under",
        type=float,
        default=None,
        metavar="N",
        help="fail if less than N percent of the documented responses and webhooks were seen",
    )

    group.addoption(
        "--contentgroove-allow",
        action="append",
        default=[],
        metavar="NAME",
        help="allow a new member in bodies: mood, or getMediaById:mood for one operation or event; repeatable",
    )
    group.addoption(
        "--contentgroove-behaviour",
        action="store_true",
        help="also follow each test as a run: deletions, updates, filters, order, pages",
    )
    parser.addini(_ALLOW, "new members of bodies that are allowed, like --contentgroove-allow", type="linelist")
    parser.addini(_BEHAVIOUR, "like --contentgroove-behaviour", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and start recording model attribute access if a report was requested.

    Raises:
        UsageError: A report's suffix is not a known format, N is not a percentage, or a member cannot be allowed.
    """
    config.addinivalue_line("markers", f"{_MARKER}(why): the test violates the contract on purpose")
    files, least = _requested_reports(config)
    if not files and least is None and not _allowed(config):
        return
    from contentgroove_mock.coverage.reports import format_of

    for name in files:
        try:
            format_of(Path(name))
        except ValueError as error:
            raise pytest.UsageError(f"--contentgroove-coverage={error}") from None
    if least is not None and not 0 <= least <= 100:  # noqa: PLR2004  # percent
        raise pytest.UsageError(f"--contentgroove-fail-under={least:g}: pass a percentage from 0 to 100")
    try:
        plugin = _session(config)
    except pytest.fail.Exception as error:
        # This early, pytest would report it as an internal error.
        raise pytest.UsageError(str(error)) from None
    if files or least is not None:
        plugin.record_reads()


def _allowed(config: pytest.Config) -> list[str]:
    """Return the new members that are allowed, by options and by the configuration file."""
    return [*cast("list[str]", config.getoption("--contentgroove-allow")), *config.getini(_ALLOW)]


def _requested_reports(config: pytest.Config) -> tuple[list[str], float | None]:
    """Return the report files, and the percentage to reach."""
    files = cast("list[str]", config.getoption("--contentgroove-coverage"))
    return files, cast("float | None", config.getoption("--contentgroove-fail-under"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Undo what the plugin changed."""
    if (plugin := config.stash.get(_SESSION, None)) is not None:
        plugin.close()


def _session(config: pytest.Config) -> PluginSession:
    plugin = config.stash.get(_SESSION, None)
    if plugin is None:
        from contentgroove._extras import needs
        from contentgroove.errors import ConfigurationError

        try:
            with needs("ContentGroove's pytest plugin", "mock"):
                from contentgroove_mock.coverage.session import PluginSession
            plugin = PluginSession(
                prism=bool(config.getoption("--contentgroove-prism")),
                allow=_allowed(config),
                behaviour=bool(config.getoption("--contentgroove-behaviour") or config.getini(_BEHAVIOUR)),
            )
        except ConfigurationError as error:
            pytest.fail(error.message, pytrace=False)
        config.stash[_SESSION] = plugin
    return plugin


@pytest.fixture(scope="session")
def contentgroove_checker(pytestconfig: pytest.Config) -> Checker:
    """The contract checker; its `check_webhook` checks a webhook that the test made itself."""
    return _session(pytestconfig).checker


@pytest.fixture
def contentgroove_options() -> dict[str, Any]:
    """The arguments of the test's `Simulator`; override this fixture to set some."""
    return {}


@pytest.fixture
def contentgroove_base_url(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    contentgroove_options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[str]:
    """The base URL of the test's simulator, which is also in CONTENTGROOVE_BASE_URL."""
    on_purpose = request.node.get_closest_marker(_MARKER) is not None
    test: str = request.node.nodeid
    plugin = _session(pytestconfig)
    _require_sockets()
    with plugin.serve(contentgroove_options, test=test, allow_violations=on_purpose) as base_url:
        monkeypatch.setenv("CONTENTGROOVE_BASE_URL", base_url)
        monkeypatch.setenv("CONTENTGROOVE_API_KEY", "simulated-key")
        yield base_url


def _require_sockets() -> None:
    import socket

    try:
        socket.socket().close()
    except Exception as error:  # noqa: BLE001  # pytest-socket warns first, and warnings may be errors
        reason = str(error)
    else:
        return
    pytest.fail(
        f"Something forbids sockets ({reason}), and the simulator is served on one. With pytest-socket, replace "
        "--disable-socket by --allow-hosts=127.0.0.1, or mark the test with @pytest.mark.enable_socket.",
        pytrace=False,
    )


@pytest.fixture
def contentgroove_simulator(pytestconfig: pytest.Config, contentgroove_base_url: str) -> Simulator:
    """A simulated service, served while the test runs, on a clock that the test moves."""
    del contentgroove_base_url
    return _session(pytestconfig).simulator


@pytest.fixture
def contentgroove_client(contentgroove_base_url: str) -> Generator[ContentGroove]:
    """A client of `contentgroove_simulator`."""
    from contentgroove import ContentGroove

    with ContentGroove(base_url=contentgroove_base_url) as client:
        yield client


async def _async_client(contentgroove_base_url: str) -> AsyncGenerator[AsyncContentGroove]:
    """An async client of `contentgroove_simulator`; the test runs under anyio's or pytest-asyncio's plugin."""
    from contentgroove import AsyncContentGroove

    async with AsyncContentGroove(base_url=contentgroove_base_url) as client:
        yield client


def _async_fixture() -> Any:
    fixture: Any = pytest.fixture
    with contextlib.suppress(ImportError):
        # In strict mode it runs only async fixtures that are marked as its own; anyio's plugin runs all.
        from pytest_asyncio import fixture
    return fixture(name="async_contentgroove_client")(_async_client)


async_contentgroove_client = _async_fixture()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test whose exchanges violated the contract."""
    plugin = item.config.stash.get(_SESSION, None)
    try:
        with contextlib.nullcontext() if plugin is None else _running(plugin, item):
            yield
    except pytest.skip.Exception:
        _raise_violations(item)
        raise
    except BaseException:
        _show_violations(item, "call")
        raise
    _raise_violations(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Report exchanges that violated the contract after the test's end."""
    try:
        yield
        _raise_violations(item)
    except BaseException:
        _show_violations(item, "teardown")
        raise
    finally:
        if (plugin := item.config.stash.get(_SESSION, None)) is not None:
            plugin.end_test()


@contextlib.contextmanager
def _running(plugin: PluginSession, item: pytest.Item) -> Generator[None]:
    """Wait at the end of a test for the threads and tasks that it has started."""
    with contextlib.ExitStack() as undo:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(function := item.obj):
            undo.callback(setattr, item, "obj", function)
            item.obj = plugin.wait_for_tasks(function)
        undo.enter_context(plugin.run_test())
        yield


def _pop_violations(item: pytest.Item) -> list[Violation]:
    plugin = item.config.stash.get(_SESSION, None)
    return plugin.pop_violations() if plugin is not None else []


def _show_violations(item: pytest.Item, phase: str) -> None:
    """Show violations in the report of a test that fails for another reason."""
    if violations := _pop_violations(item):
        item.add_report_section(phase, "contract violations", "\n".join(map(str, violations)))


def _raise_violations(item: pytest.Item) -> None:
    if violations := _pop_violations(item):
        from contentgroove_mock.contract import ContractViolationError

        # The violation names the relevant line; a traceback would show this plugin's.
        pytest.fail(str(ContractViolationError(violations)), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Merge the coverage data of a pytest-xdist worker."""
    del error
    output = cast("dict[str, Any]", getattr(node, "workeroutput", {}))
    if _WORKER_OUTPUT in output:
        _session(node.config).add_worker(output[_WORKER_OUTPUT])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the data to the main process, or fail the session if its coverage is too low."""
    config = session.config
    plugin = config.stash.get(_SESSION, None)
    if plugin is None:
        return
    if (output := getattr(config, "workeroutput", None)) is not None:
        output[_WORKER_OUTPUT] = plugin.dump()
        return
    _, least = _requested_reports(config)
    is_low = least is not None and not config.option.collectonly and plugin.matrix().percent < least
    if (is_low or plugin.collected.late_violations) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show the coverage and write the reports."""
    plugin = config.stash.get(_SESSION, None)
    if plugin is None or config.option.collectonly:
        return
    if plugin.collected.late_violations:
        terminalreporter.section("contract violations after the end of their tests", red=True, bold=True)
        for violation in dict.fromkeys(plugin.collected.late_violations):
            terminalreporter.write_line(violation)
    files, least = _requested_reports(config)
    if not files and least is None:
        return
    from contentgroove_mock.coverage.reports import table_lines, write

    found = plugin.matrix()
    terminalreporter.section("ContentGroove contract coverage")
    for line in table_lines(found):
        terminalreporter.write_line(line)
    for name in files:
        try:
            write(found, Path(name))
        except OSError as error:
            terminalreporter.write_line(f"Cannot write coverage to {name}: {error.strerror}", red=True)
        else:
            terminalreporter.write_line(f"Coverage written to {name}")
    if least is not None and found.percent < least:
        message = f"Contract coverage of {found.percent:g} % is less than the required {least:g} %"
        terminalreporter.write_line(message, red=True, bold=True)
