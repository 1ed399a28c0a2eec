"""Small pictures: a browser's own PNG with colours that nobody can tell apart made one.

A mail or a page has some thirty colours; the edges of its letters have thousands.
"""

import base64
import json
import struct
import zlib

from tests.support.chromium import Tab

# As many as a palette has (PNG specification, 11.2.2), and the square of how far they are apart at least, in 255ths.
_COLOURS, _APART = 256, 200
# Returns width, height, the colours' red, green and blue, and for each pixel the number of its colour (base64).
_REDUCE = """
(async (source, most, least) => {
  const image = await createImageBitmap(await (await fetch(source)).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const split = pixel => [pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255];
  const apart = (a, b) => a.reduce((sum, value, index) => sum + (value - b[index]) ** 2, 0);
  const kept = [];
  for (const pixel of [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a))) {
    const far = kept.every(colour => apart(colour, split(pixel)) >= least);
    if (far && kept.length < most) kept.push(split(pixel));
  }
  const nearest = pixel => {
    const distances = kept.map(colour => apart(colour, split(pixel)));
    return distances.indexOf(Math.min(...distances));
  };
  const numbers = new Map([...counts.keys()].map(pixel => [pixel, nearest(pixel)]));
  const indices = Uint8Array.from(pixels, pixel => numbers.get(pixel));
  let text = '';
  for (let at = 0; at < indices.length; at += 32768) text += String.fromCharCode(...indices.subarray(at, at + 32768));
  return [image.width, image.height, kept.flat(), btoa(text)];
})
"""


def reduced(picture: str, tab: Tab) -> bytes:
    """Return a PNG (base64) as a smaller one; a browser's tab, which has any page of a `data:` URL, does the work."""
    source = json.dumps(f"data:image/png;base64,{picture}")
    width, height, colours, indices = tab.run(f"{_REDUCE}({source}, {_COLOURS}, {_APART})")
    return _written(width, height, bytes(colours), base64.b64decode(indices))


def _written(width: int, height: int, palette: bytes, indices: bytes) -> bytes:
    """Return the file of pixels that are indices into a palette (PNG specification, 11.2; colour type 3, no filter)."""
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
