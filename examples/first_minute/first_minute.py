"""The first minute: upload a video, wait, print its clips. Without a key, the simulator plays the service.

python first_minute.py [FILE]
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove import ContentGroove

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def open_client() -> Generator[ContentGroove]:
    """Open a client of the service if there is a key, and of the simulator if there is none."""
    if "CONTENTGROOVE_API_KEY" in os.environ:
        with ContentGroove() as client:
            yield client
        return
    from contentgroove_mock import Simulator, serve

    print("CONTENTGROOVE_API_KEY is not set, so the simulator plays the service.")
    with serve(Simulator()) as server, ContentGroove("any-key", server.base_url) as client:
        yield client


def main(film: Path | None = None) -> None:
    """Do it once."""
    if film is None:
        from contentgroove_mock import sample_video

        film = sample_video()
    with open_client() as client:
        media = client.medias.upload(film)
        print(f"Uploaded {media.name}; the service processes it.")
        media = client.medias.wait(media)
        print(f"It has {media.source_file_duration:.0f} seconds, and these clips:")
        for clip in client.clips.list(filter={"media_id_eq": media.id}, sort="created_at"):
            print(f"{clip.start_time:6.1f} to {clip.end_time:6.1f}  {clip.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
