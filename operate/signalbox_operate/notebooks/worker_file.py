"""The worker of notebook instances as one file, the same bytes wherever it is made."""

import hashlib
import io
import zipfile
from pathlib import Path

import signalbox_snapshot

_FOLDER = Path(signalbox_snapshot.__file__).parent
_MOMENT = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_START = '"""Runs the worker."""\n\nfrom signalbox_snapshot.cli import main\n\nraise SystemExit(main())\n'


def worker_file() -> bytes:
    """Return the worker as Python runs it: an archive whose bytes depend on its sources alone, not on place or time.

    Nothing in it is compressed, since versions of zlib differ in what they make.
    """
    sources = {f"{_FOLDER.name}/{path.name}": path.read_bytes() for path in _FOLDER.glob("*.py")}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, source in sorted({**sources, "__main__.py": _START.encode()}.items()):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.create_system = _UNIX
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source)
    return content.getvalue()


def digest(content: bytes) -> str:
    """Return the SHA-256 by which the bucket knows a worker: `worker/<digest>.pyz`."""
    return hashlib.sha256(content).hexdigest()
