"""Zip archives: the same files give the same bytes."""

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Mapping

_BEGIN = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say
_DIGEST = 16
_FILE, _PROGRAM = 0o100644 << 16, 0o100755 << 16


def pack(files: Mapping[str, bytes], programs: Collection[str] = ()) -> bytes:
    """Return a zip of files by their paths in it; those of `programs` may be run."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _BEGIN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose modes the next line has
            entry.external_attr = _PROGRAM if name in programs else _FILE
            archive.writestr(entry, files[name])
    return packed.getvalue()


def digest(files: Mapping[str, bytes], programs: Collection[str] = ()) -> str:
    """Return a short digest of names, contents, and which of them may be run."""
    listed = [[name, hashlib.sha256(files[name]).hexdigest(), name in programs] for name in sorted(files)]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:_DIGEST]
