"""A test that starts a process or uses the network must have the mark, or it fails."""

from __future__ import annotations

import pytest

from tests.processes import is_here
from tests.repository.conftest import ROOT

CONFTEST = """
import pytest, subprocess, sys
from tests.processes import ProcessGuard

def pytest_configure(config):
    config.addinivalue_line("markers", "process: starts a process")
    guard = ProcessGuard()
    guard.listen()
    config.pluginmanager.register(guard)

def start():
    subprocess.run([sys.executable, "-c", ""], check=True)

@pytest.fixture(scope="session")
def server():
    start()

@pytest.fixture
def client():
    start()
"""
TESTS = """
import os, pytest, socket, sys
from conftest import start

def test_nothing(): pass
def test_starts(): start()
@pytest.mark.process
def test_starts_and_says_so(): start()
def test_hides_what_it_starts():
    with pytest.raises(ZeroDivisionError):
        start()
        1 / 0
def test_shell(): os.system("")
def test_forks():
    if os.fork() == 0:
        os._exit(0)
    os.wait()
def test_fixture(client): pass
@pytest.mark.process
def test_first_of_the_fixture(server): pass
def test_second_of_the_fixture(server): pass
def test_third_of_the_fixture(request): request.getfixturevalue("server")
def test_after_the_fixture(): pass
def test_away(): sys.audit("socket.connect", None, ("192.0.2.1", 443))
def test_away_by_datagram(): sys.audit("socket.sendto", None, ("192.0.2.1", 53))
def test_here():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()): pass
"""
WRONG = {
    "test_starts": "starts a process (subprocess.Popen [",
    "test_hides_what_it_starts": "starts a process (subprocess.Popen [",
    "test_shell": "starts a process (os.system)",
    "test_forks": "starts a process (os.fork)",
    "test_fixture": "starts a process (subprocess.Popen [",
    "test_second_of_the_fixture": "uses the fixture `server`, which starts a process (subprocess.Popen [",
    "test_third_of_the_fixture": "uses the fixture `server`, which starts a process (subprocess.Popen [",
    "test_away": "leaves this machine (socket.connect ('192.0.2.1', 443))",
    "test_away_by_datagram": "leaves this machine (socket.sendto ('192.0.2.1', 53))",
}


@pytest.mark.process
def test_tests_without_the_mark_fail(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test that starts a process or uses the network fails with the reason, and no other test fails."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    plugins = [word for name in ("cacheprovider", "schemathesis", "respx", "randomly") for word in ("-p", f"no:{name}")]
    result = pytester.runpytest_subprocess(*plugins)
    failed = {name: line for line in result.outlines for name in WRONG if line.startswith(f"{name} has no mark")}
    assert failed.keys() == WRONG.keys()
    for name, done in WRONG.items():
        assert failed[name].startswith(f"{name} has no mark `process` and {done}")
    counts = result.parseoutcomes()
    assert counts["passed"] == TESTS.count("def test_") - counts.get("errors", 0) - counts.get("failed", 0)
    assert counts.get("errors", 0) + counts.get("failed", 0) == len(WRONG)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.8.8", 1), True),
        (("::1", 1, 0, 0), True),
        (("localhost", 1), True),
        ("/run/postgres.sock", True),
        (b"\0abstract", True),
        (("192.0.2.1", 1), False),
        (("2001:db8::1", 1, 0, 0), False),
        (("fe80::1%lo", 1, 0, 0), False),
        (("example.com", 443), False),
    ],
)
def test_addresses(address: object, here: bool) -> None:  # noqa: FBT001 - a case
    """Loopback and local sockets are on this machine; any name other than loopback's is not."""
    assert is_here(address) == here
