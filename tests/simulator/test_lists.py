"""Lists: filters, order, pages and links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from contentgroove_mock import Policy, Simulator

from tests.simulator.driver import BASE_URL, KEY, Driver

if TYPE_CHECKING:
    from tests.simulator.driver import Contract

pytestmark = pytest.mark.anyio

FILTERS = [
    ("name_eq=alpha", "a"),
    ("name_eq=Alpha", ""),
    ("name_not_eq=alpha", "Bg-"),
    ("name_matches=%25a", "ag"),
    ("name_matches=_lph_", "a"),
    ("name_matches=%25\\%25", "B"),
    ("name_does_not_match=%25a", "B-"),
    ("name_lt=alpha", "B-"),
    ("name_lteq=alpha", "aB-"),
    ("name_gt=alpha", "g"),
    ("name_gteq=alpha", "ag"),
    ("name_present=true", "aBg"),
    ("name_present=false", "-"),
    ("name_blank=1", "-"),
    ("description_blank=1", "-"),
    ("description_null=true", "-"),
    ("description_null=false", "aBg"),
    ("name_null=true", ""),
    ("description_not_null=true", "aBg"),
    ("name_in][]=alpha&filter[name_in][]=gamma", "ag"),
    ("name_in]=alpha&filter[name_in]=gamma", "ag"),
    ("name_not_in][]=alpha&filter[name_not_in][]=gamma", "B-"),
    ("description_not_in][]=film", "aB"),
    ("is_processing_true=true", ""),
    ("is_processing_false=true", "aBg"),
    ("has_fetch_error_true=1", "g"),
    ("has_fetch_error_true=0", "aB-"),
    ("has_fetch_error_not_true=1", "aB-"),
    ("has_fetch_error_not_false=1", "g"),
    ("has_fetch_error_eq=true", "g"),
    ("name_cont=eta", "B"),
    ("name_cont=ETA", "B"),
    ("name_start=AL", "a"),
    ("name_start=BET", "B"),
    ("name_end=A", "ag"),
    ("name_matches=%25ALPH%25", "a"),
    ("name_does_not_match=%25A", "B-"),
    ("name_not_cont=ETA", "ag-"),
    ("name_not_start=AL", "Bg-"),
    ("name_not_end=A", "B-"),
    ("name_cont_any][]=ALP&filter[name_cont_any][]=GAM", "ag"),
    ("name_start_all][]=A&filter[name_start_all][]=ALP", "a"),
    ("name_in][]=ALPHA", ""),
    ("name_not_eq=ALPHA", "aBg-"),
    ("name_eq_any][]=ALPHA&filter[name_eq_any][]=gamma", "g"),
    ("name_cont=%25", "B"),
    ("name_cont=50_", ""),
    ("name_start=_lpha", ""),
    ("name_end=\\%25", ""),
    ("name_matches=%25%25", "aBg-"),
    ("name_eq=", "aBg-"),
    ("name_eq=%20%09", "aBg-"),
    ("name_not_eq=", "aBg-"),
    ("name_cont=", "aBg-"),
    ("name_matches=", "aBg-"),
    ("name_null=", "aBg-"),
    ("name_present=%20", "aBg-"),
    ("created_at_gt=", "aBg-"),
    ("source_file_duration_eq=", "aBg-"),
    ("has_fetch_error_eq=", "aBg-"),
    ("name_in][]=", "aBg-"),
    ("name_not_in][]=&filter[name_not_in][]=%20", "aBg-"),
    ("name_in][]=&filter[name_in][]=alpha", "a"),
    ("name_not_in][]=&filter[name_not_in][]=alpha", "Bg-"),
    ("name_cont_any][]=&filter[name_cont_any][]=gam", "g"),
    ("name_eq=&filter[name_start]=g", "g"),
    ("name_eq=%20alpha%0A", "a"),
    ("name_start=%20al", "a"),
    ("name_in]=%20alpha%20", "a"),
    ("name_in][]=%20alpha%20", ""),
    ("source_file_height_eq=%20180%20", "aB"),
    ("name_not_cont=a", "-"),
    ("name_i_cont=ETA", "B"),
    ("name_not_i_cont=ETA", "ag-"),
    ("name_start=al", "a"),
    ("name_not_start=al", "Bg-"),
    ("name_end=a", "ag"),
    ("name_not_end=a", "B-"),
    ("name_cont_any][]=alp&filter[name_cont_any][]=gam", "ag"),
    ("name_cont_all][]=a&filter[name_cont_all][]=m", "g"),
    ("name_not_eq_all][]=alpha&filter[name_not_eq_all][]=gamma", "B-"),
    ("name_or_description_cont=film", "ag"),
    ("name_and_description_cont=a", ""),
    ("description_not_cont=film", "B"),
    ("sourceUrl_start=https://a.", "a-"),
    ("source_url_end=mp4", "aBg-"),
    ("source_file_duration_gteq=6", "aB"),
    ("source_file_duration_lt=6.0", ""),
    ("source_file_height_in=180", "aB"),
    ("created_at_gt=2026-01-01T00:01:00Z", "Bg-"),
    ("created_at_lteq=2026-01-01T01:01:40%2B01:00", "aB"),
    ("created_at_lt=2026-01-01T00:01:40", "a"),
    ("name_start=a&filter[description_cont]=film", "a"),
]


@pytest.fixture
async def films(driver: Driver, simulator: Simulator) -> Driver:
    """Create four medias: `alpha` and `Beta 50%` are finished, `gamma` failed, and a new one has no name."""
    await driver.finished(name="alpha", description="first film", source_url="https://a.example/1.mp4")
    simulator.advance(100)
    await driver.finished(name="Beta 50%", description="second", source_url="https://b.example/2.mp4")
    simulator.advance(100)
    failed = await driver.media(name="gamma", description="film", source_url="https://c.invalid/3.mp4")
    simulator.fail_media(failed["id"])
    await driver.media(source_url="https://a.example/4.mp4")
    return driver


def names(items: Any) -> str:  # JSON
    """Return the names' first letters; a dash means the media without a name."""
    return "".join(item["attributes"]["name"][:1] or "-" for item in items)


@pytest.mark.parametrize(("query", "found"), FILTERS)
async def test_filter(films: Driver, query: str, found: str) -> None:
    """Each matcher finds the items that ransack's documentation describes."""
    first, _, value = query.partition("=")
    name = first if "]" in first else first + "]"
    assert names(await films.data(f"/medias?filter[{name}={value}")) == found


@pytest.mark.parametrize(
    "query",
    [
        "filter[colour_eq]=red",
        "filter[name]=alpha",
        "filter[name_like]=alpha",
        "filter[rank_eq]=1",
        "filter=name",
        "filter[name_eq]=a&filter[name_eq]=b",
        "filter[source_file_duration_gt]=long",
        "filter[created_at_gt]=yesterday",
        "filter[has_fetch_error_eq]=maybe",
        "filter[has_fetch_error_eq]=True",
        "filter[name][eq]=alpha",
        "filter[]=alpha",
        "filter[name_present]=maybe",
        "filter[name_present_any]=true",
        "filter[name_or_source_file_width_eq]=1",
        "page[number]=0",
        "page[number]=-1",
        "page[number]=one",
        "page[size]=0",
        "page[size]=1.5",
        "page[size]=9999999999999999999999",
        "page=1",
    ],
)
async def test_unknown_query_parameters_are_rejected(films: Driver, query: str) -> None:
    """An unknown filter or page is a 400 with a sentence that names it."""
    response = await films.api.get(f"/medias?{query}")
    assert response.status_code == 400
    assert any(word in response.json()["errors"][0]["detail"] for word in ("filter", "page"))


WRONG = [
    "filter[colour_eq]=red",
    "filter[name]=alpha",
    "filter=name",
    "filter[name_eq]=a&filter[name_eq]=b",
    "filter[created_at_gt]=yesterday",
    "filter[has_fetch_error_eq]=maybe",
    "filter[name_present]=maybe",
    "page[number]=0",
    "page[number]=-1",
    "page[size]=0",
    "page[size]=many",
    "page=1",
]
UNDOCUMENTED = [
    "sort=",
    "sort=rank",
    "sort=name,created_at",
    "sort=--name",
    "sort=-createdAt",
    "size=2",
    "size=2&sort=-createdAt",
    "page[limit]=1",
    "page[]=1",
    "page_size=1",
    "per_page=1",
    "pages[size]=1",
    "filters[name_eq]=alpha",
    "q=alpha",
]


@pytest.mark.parametrize("query", UNDOCUMENTED)
async def test_unknown_orders_and_parameters_are_ignored(films: Driver, query: str) -> None:
    """The list is that without them."""
    response = await films.api.get(f"/medias?{query}")
    assert response.status_code == 200
    assert response.json()["data"] == (await films.api.get("/medias")).json()["data"]


@pytest.mark.parametrize("query", UNDOCUMENTED)
async def test_a_policy_refuses_unknown_orders_and_parameters(contract: Contract, query: str) -> None:
    """The error names the parameter; the key is none."""
    driver = Driver(Simulator(policy=Policy(refuses_undocumented=True)), contract)
    assert (await driver.api.get(f"/medias?sort=-name&page[size]=2&api_key={KEY}")).status_code == 200
    response = await driver.api.get(f"/medias?{query}")
    assert response.status_code == 400
    assert query.split("=", maxsplit=1)[0] in response.json()["errors"][0]["detail"]


async def test_a_policy_refuses_a_bare_key(simulator: Simulator, contract: Contract) -> None:
    """A key without a scheme counts by default."""
    strict = Simulator(policy=Policy(refuses_undocumented=True))
    for own, status in ((simulator, 200), (strict, 401)):
        driver = Driver(own, contract)
        for headers, expected in (({"Authorization": KEY}, status), ({"Authorization": f"Bearer {KEY}"}, 200)):
            assert (await driver.bare.get(f"{BASE_URL}/medias", headers=headers)).status_code == expected


@pytest.mark.parametrize("query", WRONG)
async def test_a_policy_ignores_wrong_values(contract: Contract, query: str) -> None:
    """As ransack does: the list is that without them, which an app takes for what it looked for."""
    driver = Driver(Simulator(policy=Policy(refuses_wrong_values=False)), contract)
    await driver.media(name="beta")
    await driver.media(name="gamma")
    assert names(await driver.data(f"/medias?{query}")) == "bg"
    assert names(await driver.data(f"/medias?{query}&filter[name_start]=g")) == "g"


@pytest.mark.parametrize("length", [200, 20_000])
async def test_a_pattern_of_many_wildcards_is_compared_in_one_pass(films: Driver, length: int) -> None:
    """A regular expression would try each way to divide a text among the wildcards, which never ends."""
    await films.media(name="a" * length)
    for pattern, found in (("%25a" * 200 + "%25", "a"), ("%25a" * 200 + "b", ""), ("%25_" * 100 + "%25b", "")):
        assert names(await films.data(f"/medias?filter[name_matches]={pattern}")) == found


@pytest.mark.parametrize(
    ("path", "sort", "found"),
    [
        ("/medias", "created_at", "aBg-"),
        ("/medias", "-created_at", "g-Ba"),
        ("/medias", "original_created_at", "aBg-"),
        ("/medias", "-original_created_at", "-gBa"),
        ("/medias", "name", "-Bag"),
        ("/medias", "-name", "gaB-"),
        ("/clips", "name", "aawwww"),
        ("/clips", "-name", "wwwwaa"),
        ("/clips", "created_at", "awwaww"),
        ("/clips", "-created_at", "awwaww"),
    ],
)
async def test_sort(films: Driver, path: str, sort: str, found: str) -> None:
    """Each documented order; equal items stay in the order of creation, and nulls count as largest."""
    assert names(await films.data(f"{path}?sort={sort}")) == found


async def test_lists_of_clips_and_subscriptions_are_filtered(films: Driver) -> None:
    """Clips filter by media and text, subscriptions by URL and events."""
    media = (await films.data("/medias"))[0]
    assert len(await films.data(f"/clips?filter[media_id_eq]={media['id']}")) == 3
    assert len(await films.data("/clips?filter[rank_lteq]=0&filter[text_i_cont]=LAMP")) == 2
    await films.subscribe("http://127.0.0.1/a", subscribed_events=["media.processing_finished"])
    await films.subscribe("http://127.0.0.1/b")
    found = await films.data("/webhook_subscriptions?filter[subscribed_events_cont]=finished")
    assert [item["attributes"]["url"] for item in found] == ["http://127.0.0.1/a"]
    ordered = await films.data("/webhook_subscriptions?sort=-created_at&page[size]=1")
    assert [item["attributes"]["url"] for item in ordered] == ["http://127.0.0.1/a"]


async def test_pages_link_to_each_other(driver: Driver) -> None:
    """Following links.next finds every item once; first, prev and last lead to the right pages."""
    for number in range(5):
        await driver.media(name=f"film {number}")
    url: str | None = f"{BASE_URL}/medias?page[size]=2&sort=-name&filter[name_start]=film&api_key={KEY}"
    seen: list[str] = []
    numbers: list[tuple[str | None, ...]] = []
    while url:
        response = (await driver.api.get(url)).json()
        seen += [item["attributes"]["name"][-1] for item in response["data"]]
        links = response["links"]
        assert KEY not in str(links)
        numbers.append(tuple(_page(links[name]) for name in ("current", "first", "prev", "next", "last")))
        url = links["next"]
    assert seen == list("43210")
    assert numbers == [("1", "1", None, "2", "3"), ("2", "1", "1", "3", "3"), ("3", "1", "2", None, "3")]


def _page(link: str | None) -> str | None:
    if link is None:
        return None
    query = dict(parse_qsl(urlsplit(link).query))
    assert (query["page[size]"], query["sort"], query["filter[name_start]"]) == ("2", "-name", "film")
    return query["page[number]"]


async def test_page_has_25_items_by_default(driver: Driver) -> None:
    """Without a size a page has 25 items; a page after the last is empty."""
    for _ in range(26):
        await driver.media()
    assert len(await driver.data("/medias")) == 25
    assert len(await driver.data("/medias?page[number]=2")) == 1
    assert await driver.data("/medias?page[number]=3") == []


async def test_page_has_30_items_at_most(driver: Driver, contract: Contract) -> None:
    """A larger size means 30, with links to the other pages; a policy can have another maximum."""
    for _ in range(32):
        await driver.media()
    for size in (30, 31, 100, 999_999_999):
        first = (await driver.api.get(f"/medias?page[size]={size}")).json()
        assert len(first["data"]) == 30
        assert dict(parse_qsl(urlsplit(first["links"]["next"]).query))["page[size]"] == str(size)
        second = (await driver.api.get(first["links"]["next"])).json()
        assert len(second["data"]) == 2
        assert second["links"]["next"] is None
    assert len(await driver.data("/medias?page[size]=29")) == 29
    own = Driver(Simulator(policy=Policy(page_size=2, max_page_size=3)), contract)
    for _ in range(4):
        await own.media()
    assert [len(await own.data(f"/medias{query}")) for query in ("", "?page[size]=1", "?page[size]=4")] == [2, 1, 3]


async def test_single_responses_link_to_themselves(driver: Driver) -> None:
    """A creation links to the list, other operations to the resource, at the origin of the request."""
    made = await driver.post("/medias", source_url="https://films.example/a.mp4")
    assert made.json()["links"] == {"self": f"{BASE_URL}/medias"}
    path = f"/medias/{made.json()['data']['id']}"
    fetched = await driver.api.get(f"{path}?api_key={KEY}")
    assert fetched.json()["links"] == {"self": BASE_URL + path}
