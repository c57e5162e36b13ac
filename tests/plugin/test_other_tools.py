"""The plugin beside other tools of an application's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.process


def test_a_frozen_time(run: Run) -> None:
    """What is decoded first while freezegun or time-machine has the time is decoded as ever, then and afterwards."""
    run(
        """
        import datetime as dt

        import freezegun
        import pytest
        import time_machine

        @pytest.fixture
        def contentgroove_options(tmp_path):
            return {"state_file": tmp_path / "state.json"}

        def flow(client):
            media = client.medias.create(source_url="https://films.example/one.mp4")
            assert type(media.created_at).__module__ == "datetime"
            assert client.medias.wait(media).is_finished
            assert [clip.created_at.year for clip in client.clips.list(limit=1)] == [2026]

        @freezegun.freeze_time("2020-01-01")
        def test_freezegun(contentgroove_client, tmp_path):
            flow(contentgroove_client)
            from contentgroove.webhooks import parse_event
            from contentgroove_mock import Simulator, factories

            assert parse_event(factories.media_processing_finished().body).media.created_at.tzinfo is not None
            assert Simulator(state_file=tmp_path / "state.json").deliveries == []

        @pytest.mark.parametrize("tick", [True, False])
        def test_time_machine(contentgroove_client, tick):
            with time_machine.travel(dt.datetime(2020, 1, 1, tzinfo=dt.UTC), tick=tick):
                flow(contentgroove_client)

        def test_afterwards(contentgroove_client):
            flow(contentgroove_client)
        """
    ).assert_outcomes(passed=4)
