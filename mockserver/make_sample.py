# ruff: noqa: INP001  # a script, not a package
"""Make the simulator's sample video and its thumbnail: `python mockserver/make_sample.py`.

The picture moves and the tone changes with each second, so that a player shows at once whether a cut or a seek is
exact. `yuv420p` and `faststart` let browsers play the file while it loads.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg  # pyright: ignore[reportMissingTypeStubs]  # has no types

SECONDS = 6
TARGET = Path(__file__).parent / "contentgroove_mock"


def make_sample(folder: Path) -> None:
    """Write `sample.mp4` and `sample.jpg` into a folder.

    Raises:
        subprocess.CalledProcessError: ffmpeg failed; its message is on stderr.
    """
    ffmpeg: str = imageio_ffmpeg.get_ffmpeg_exe()  # pyright: ignore[reportUnknownMemberType]  # untyped
    video = folder / "sample.mp4"
    picture = f"testsrc2=size=320x180:rate=15:duration={SECONDS}"
    tone = f"aevalsrc='0.2*sin(2*PI*t*(220+110*floor(t)))':sample_rate=22050:duration={SECONDS}"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    video_codec = ["-c:v", "libx264", "-preset", "veryslow", "-crf", "34", "-pix_fmt", "yuv420p", "-g", "15"]
    audio_codec = ["-c:a", "aac", "-b:a", "32k", "-ac", "1"]
    container = ["-movflags", "+faststart", "-map_metadata", "-1", "-fflags", "+bitexact"]
    run = [ffmpeg, "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([*run, *inputs, *video_codec, *audio_codec, *container, str(video)], check=True)  # noqa: S603  # no user input
    thumbnail = ["-ss", "1", "-i", str(video), "-frames:v", "1", "-q:v", "8", "-flags", "+bitexact"]
    subprocess.run([*run, *thumbnail, str(folder / "sample.jpg")], check=True)  # noqa: S603  # no user input


if __name__ == "__main__":
    make_sample(TARGET)
