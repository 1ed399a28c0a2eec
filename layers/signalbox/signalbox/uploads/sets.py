"""The rules of sets: an object that ends as the project says names the files of one, and a run waits for all of them.

Such an object is called a set's manifest here. What it says is read anew at each look, by its version, so it never
changes: which files a set has come to is decided by what waits, and nothing about it is stored.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from signalbox.reading import shown
from signalbox.uploads import rules
from signalbox.uploads.model import Upload

# 5,000 names of 400 bytes each; what JSON makes of more does not fit into a function of 256 MB with all else.
MOST_BYTES = 2 * 1024**2
_SCHEME = "s3://"


class SetError(Exception):
    """What names the files of a set cannot be used; the message says what is wrong, and what to do."""

    def __init__(self, problem: str, then: str = "correct it, and upload it again") -> None:
        super().__init__(f"{problem}: {then}")


class UploadSet(NamedTuple):
    """A set of uploads: its `manifest` names `keys`, `came` are the uploads of those, and `missing` has the others."""

    manifest: Upload
    keys: tuple[str, ...]
    came: tuple[Upload, ...]
    missing: tuple[str, ...]


class Lot(NamedTuple):
    """Uploads that a run takes all or none of: a set with its manifest, or one upload that is in no set.

    `since` is the text of when the last of them was recorded. `begun` says that a run has taken the manifest, and died.
    `lacks` are the set's files that have not come.
    """

    uploads: tuple[Upload, ...]
    since: str
    begun: bool = False
    lacks: tuple[str, ...] = ()

    @property
    def data(self) -> list[Upload]:
        """Return its uploads but the one that names the others."""
        return [upload for upload in self.uploads if not upload.names_files]


def keys_of(manifest: Upload, text: str, unwanted: Callable[[str], str]) -> tuple[str, ...]:
    """Return the keys that a set's manifest names, sorted and each once.

    `text` is a JSON list of names, SageMaker's ManifestFile, whose first element has the `prefix` of all (Amazon
    SageMaker API reference, S3DataSource), or lines of names. A name is an S3 URI, or relative to the manifest's
    folder. `unwanted` says what is wrong with a key, "" where nothing is.

    Raises:
        SetError: it cannot be read, names no file or too many, or one that is not wanted.
    """
    base, found = _listed(manifest, text)
    keys = set[str]()
    for place, name in found:
        keys.add(_key(manifest, base, place, name, unwanted))
        if len(keys) > rules.MOST_UPLOADS:
            raise SetError(f"it names more than the {rules.MOST_UPLOADS:,} files that a run takes")
    if not keys:
        raise SetError("it names no file")
    return tuple(sorted(keys))


def _listed(manifest: Upload, text: str) -> tuple[str, Iterator[tuple[str, object]]]:
    """Return what names are relative to, as a URI, and each name with its place in the manifest."""
    folder, slash, _ = manifest.key.rpartition("/")
    here, body = f"{_SCHEME}{manifest.bucket}/{folder}{slash}", text.removeprefix("\ufeff").strip()
    if "\ufffd" in body:
        raise SetError("it is no text in UTF-8")
    if not body.startswith(("[", "{", '"')):
        lines = ((f"line {number}", line.strip()) for number, line in enumerate(body.split("\n"), 1))
        return here, ((place, line) for place, line in lines if line)
    entries = _entries(body)
    if entries and isinstance(entries[0], dict):
        return _prefix(entries[0]), ((f"entry {number}", one) for number, one in enumerate(entries[1:], 2))
    return here, ((f"entry {number}", one) for number, one in enumerate(entries, 1))


def _entries(body: str) -> list[object]:
    try:
        found = json.loads(body)
    except json.JSONDecodeError as error:
        raise SetError(f"it is no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise SetError("it is no list of names") from error
    if not isinstance(found, list):
        raise SetError("it is no list of names")
    return found


def _prefix(first: Mapping[str, object]) -> str:
    prefix = first.get("prefix")
    if not isinstance(prefix, str) or not prefix.startswith(_SCHEME):
        raise SetError(f"entry 1 has the prefix {shown(prefix)}, which is no S3 URI")
    return prefix


def _key(manifest: Upload, base: str, place: str, name: object, unwanted: Callable[[str], str]) -> str:
    if not isinstance(name, str) or not name.strip():
        raise SetError(f"{place} is {shown(name)}, and has to be the name of a file")
    uri = name if name.startswith(_SCHEME) else f"{base}{name.removeprefix('./')}"
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if bucket != manifest.bucket:
        raise SetError(f"{place} is {shown(uri)}, which lies in another bucket than {manifest.bucket}")
    if problem := unwanted(key):
        raise SetError(f"{place} is {shown(key)}, {problem}")
    return key


def matched(manifest: Upload, keys: Sequence[str], here: Mapping[tuple[str, str], Sequence[Upload]]) -> UploadSet:
    """Return a set with what has come of it; `here` are uploads by bucket and key."""
    found = {key: here.get((manifest.bucket, key), ()) for key in keys}
    came = tuple(upload for uploads in found.values() for upload in uploads)
    return UploadSet(manifest, tuple(keys), came, tuple(key for key in keys if not found[key]))


def lot_of(found: UploadSet) -> Lot:
    """Return a set as what a run takes of it."""
    uploads = (found.manifest._replace(names_files=True), *found.came)
    since = max(upload.recorded_at for upload in uploads)
    return Lot(uploads, since, begun=found.manifest.run is not None, lacks=found.missing)


def newest(uploads: Sequence[Upload]) -> Upload:
    """Return the newest version among uploads of one key: by S3's time of each, of equal ones the last recorded."""
    return max(uploads, key=lambda upload: (upload.modified, upload.recorded_at, upload.version))


def that_fit(lots: Sequence[Lot], taken: Sequence[Upload], most_bytes: int | None) -> list[Lot]:
    """Return the first lots that one run has room for, beside what it has `taken`, in the order of their completion.

    They are in the bucket of the first, as in `rules.of_one_bucket`. A lot that was begun is finished, whatever there
    is, and the first one is taken whole: a set is in one run. `most_bytes` is what the files may have together, where
    they are copied.
    """
    ordered = sorted(lots, key=lambda lot: (not lot.begun, lot.since))
    fitting, number, size = list[Lot](), len(taken), sum(upload.size for upload in taken)
    for lot in ordered:
        if lot.uploads[0].bucket != (taken or ordered[0].uploads)[0].bucket:
            continue
        number, size = number + len(lot.uploads), size + sum(upload.size for upload in lot.data)
        full = number > rules.MOST_UPLOADS or (most_bytes is not None and size > most_bytes)
        if full and not lot.begun and (taken or fitting):
            break
        fitting.append(lot)
    return fitting


def lacking(lots: Sequence[Lot]) -> str:
    """Return for people which files of sets have not come: how many, and the first; "" where all have."""
    missing = sorted({key for lot in lots for key in lot.lacks})
    more = f" and {len(missing) - rules.MOST_NAMED} more" if len(missing) > rules.MOST_NAMED else ""
    return (
        f"without {len(missing)} that did not come ({', '.join(missing[: rules.MOST_NAMED])}{more})" if missing else ""
    )
