"""The pipeline is not specific to one API: three others of different styles and sizes become working clients."""

from __future__ import annotations

import dataclasses
import importlib
import json
import lzma
import pkgutil
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove_mock.prism import Prism
from contentgroove_spec.config import load_config
from pipeline.generate import differences, generate
from pipeline.pull import pull

from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.process

APIS = Path(__file__).with_name("other_apis")


@dataclass(frozen=True)
class Api:
    """One of them, and one call.

    Attributes:
        name: Its folder and its package.
        endpoint: The module of an operation, below the package's `api`.
        arguments: The arguments of its function.
        headers: Further headers of a call.
        query: Further query parameters of a call.
        read: Checks a documented part of the decoded response.
        size: The minimum size of the document, in bytes.
    """

    name: str
    endpoint: str
    read: Callable[[Any], object]
    size: int
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=dict[str, str])


CASES = [
    # Operations called by their URL, references to responses, a key in the query, no examples.
    Api(
        "hubspot_webhooks",
        "settings.get_webhooksv_3_app_idsettings_get_all",
        lambda parsed: (
            isinstance(parsed.target_url, str) and isinstance(parsed.throttling.max_concurrent_requests, int)
        ),
        10_000,
        {"app_id": 7},
        query={"hapikey": "any"},
    ),
    # Capitals everywhere, headers as parameters, OAuth, examples.
    Api(
        "xero_bank_feeds",
        "bank_feeds.get_feed_connection",
        lambda parsed: isinstance(parsed.account_number, str),
        20_000,
        {"id": "9b9a2e82-5b47-4f59-831d-4c239824b983", "xero_tenant_id": "any"},
        {"Authorization": "Bearer any"},
    ),
    # Two hundred operations with everything inline, shared parameters, arrays as responses.
    Api(
        "eve_online",
        "market.get_markets_region_id_history",
        lambda parsed: (parsed[0].average, parsed[0].date.isoformat()) == (5.25, "2015-05-01"),
        1_000_000,
        {"region_id": 10, "type_id": 34},
    ),
]


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Packages below `generated` can be imported, and are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path / "generated"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {api.name for api in CASES}:
            del sys.modules[name]


def published(api: Api, folder: Path) -> Path:
    """Copy an API's folder, and return the path of its document."""
    shutil.copytree(APIS / api.name, folder, dirs_exist_ok=True)
    packed = folder / "document.json.xz"
    if packed.exists():
        packed.with_suffix("").write_bytes(lzma.decompress(packed.read_bytes()))
    return folder / "document.json"


@pytest.mark.usefixtures("importable")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("api", CASES, ids=lambda api: api.name)
def test_another_api(api: Api, tmp_path: Path) -> None:
    """Pulled, corrected, verified and generated, every module imports, and a response of Prism is decoded."""
    document = published(api, tmp_path)
    assert document.stat().st_size >= api.size
    templates = ROOT / "spec" / "templates"
    config = dataclasses.replace(load_config(tmp_path / "pipeline.toml"), templates=templates)
    pull(config, mirror=None, file=document, log=lambda _: None)
    generate(config)

    package = importlib.import_module(api.name)
    modules = [module.name for module in pkgutil.walk_packages(package.__path__, f"{api.name}.")]
    for name in modules:
        importlib.import_module(name)
    operations = sum(
        "operationId" in operation
        for item in json.loads(document.read_text(encoding="utf-8"))["paths"].values()
        for operation in item.values()
    )
    assert len([name for name in modules if ".api." in name and name.count(".") == 3]) == operations

    def with_query(request: httpx.Request) -> None:
        request.url = request.url.copy_merge_params(api.query)

    endpoint = importlib.import_module(f"{api.name}.api.{api.endpoint}")
    with (
        Prism.mock(config.contract_json) as prism,
        httpx.Client(event_hooks={"request": [with_query]}, timeout=30.0, trust_env=False) as http,
    ):
        client = package.Client(prism.base_url, headers=api.headers, http_client=http)
        response = endpoint.sync_detailed(client=client, **api.arguments)
    assert response.status_code == 200, response.content
    assert api.read(response.parsed)


@pytest.mark.timeout(300)
def test_check_for_another_api(tmp_path: Path) -> None:
    """The outputs for another API are compared in the same way."""
    api = CASES[0]
    document = published(api, tmp_path)
    config = load_config(tmp_path / "pipeline.toml")
    pull(config, mirror=None, file=document, log=lambda _: None)
    generate(config)
    assert list(differences(config)) == []
    with config.contract.open("a", encoding="utf-8") as opened:
        opened.write("# by hand\n")
    assert next(iter(differences(config))) == "contract.yaml differs:"
