"""Amazon's event-stream encoding of an answer that comes in parts.

Source: Smithy's specification, "Amazon Event Stream": lengths, a checksum of them, headers, payload, a checksum of all.
"""

import struct
import zlib
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
_CHECKSUMS = 16  # bytes of a message beside its headers and payload: two lengths and two checksums


def message(event: str, payload: bytes) -> bytes:
    """Return one event of a name, with bytes as its payload."""
    given = {":event-type": event, ":content-type": "application/octet-stream", ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in given.items())
    lengths = struct.pack(">II", len(headers) + len(payload) + _CHECKSUMS, len(headers))
    whole = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def events(shape: Any, answer: dict[str, Any]) -> bytes:
    """Return the members of an event stream's structure as messages; each holds bytes."""
    parts = []
    for event, members in answer.items():
        [payload] = (name for name, member in shape.members[event].members.items() if member.type_name == "blob")
        parts.append(message(event, members[payload]))
    return b"".join(parts)


def _header(name: str, value: str) -> bytes:
    texts = name.encode(), value.encode()
    return struct.pack(">B", len(texts[0])) + texts[0] + struct.pack(">BH", _STRING, len(texts[1])) + texts[1]
