"""Takes the README's picture: the first screen of the page that `investigate` writes.

    make picture

It needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import base64
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers import chromium

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "investigate.png"
SIZE = (1280, 900)
_IN_256_COLORS = """async (address) => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const { width, height } = image;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = Array.from({ length: data.length / 4 }, (_, n) => [...data.slice(4 * n, 4 * n + 3)].join());
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  const frequent = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const colors = frequent.map((each) => each.split(","));
  const palette = colors.slice(0, 256);
  const distance = (a, b) => a.reduce((sum, value, n) => sum + (value - b[n]) ** 2, 0);
  const nearest = (color) => palette.reduce((best, each, n) =>
    distance(color, each) < distance(color, palette[best]) ? n : best, 0);
  const places = new Map(colors.map((color) => [color.join(), nearest(color)]));
  return [palette.map((color) => color.map(Number)), pixels.map((pixel) => places.get(pixel))];
}"""


def png(palette: list[list[int]], pixels: list[int]) -> bytes:
    """An image with a palette (w3.org/TR/png-3: colour type 3, no filter)."""
    width, height = SIZE
    rows = b"".join(b"\0" + bytes(pixels[row * width : (row + 1) * width]) for row in range(height))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(channel for color in palette for channel in color)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    ]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def main() -> None:
    """Writes docs/investigate.png, in 256 colours: a small file."""
    with TemporaryDirectory() as folder, chromium.running() as browser:
        page = Path(folder) / "investigation.html"
        command = ["investigate", "samples/archive", "--report", str(page)]
        code = "from trailsieve.cli.main import main; main()"
        subprocess.run(  # noqa: S603 - fixed arguments
            [sys.executable, "-c", code, *command], cwd=ROOT, check=True, capture_output=True
        )
        tab = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-drawn]", state="attached")
        address = f"data:image/png;base64,{base64.b64encode(tab.screenshot()).decode()}"
        PICTURE.write_bytes(png(*browser.new_page().evaluate(_IN_256_COLORS, address)))
    print(f"wrote {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
