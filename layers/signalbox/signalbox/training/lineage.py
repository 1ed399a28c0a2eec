"""Where a model comes from: its uploads, run, rows and threshold, as far as its package says; all for people."""

import json
from typing import TYPE_CHECKING

from signalbox import numerals, quarantine
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.model import ModelPackage
from signalbox.aws.s3 import ObjectStore, ObjectTooLargeError
from signalbox.observability import logger
from signalbox.training.model import Candidate

if TYPE_CHECKING:
    from signalbox.contracts.training import Lineage
    from signalbox.contracts.uploads import Quarantine, RunUploaders

_MOST = 5  # files, and uploaders
_MANIFEST_LIMIT = 1_000_000  # bytes: about a thousand of the longest keys


def of(candidate: Candidate, trained: int | None, artifacts: str, objects: ObjectStore) -> "Lineage":
    """Return what is known of a model's origin.

    Of the bucket `artifacts`, only manifests that the stack wrote are read, and reports of files that were not used
    where the jobs of the model's own project write.

    `trained` is how many rows an image is trained on, None where nobody has counted them.

    Raises:
        ServiceBusyError: S3 could not answer in this moment.
    """
    if candidate.registered is not None:
        runs = f"s3://{artifacts}/pipelines/{candidate.project or candidate.model}/"
        found = _of_package(candidate.registered, f"s3://{artifacts}/manifests/", objects)
        return {**found, **_unused(candidate.registered, runs, objects)}
    known: Lineage = {"train_data": candidate.train_data} if candidate.train_data else {}
    if candidate.started_by:
        known["started_by"] = candidate.started_by
    return known if trained is None else {**known, "train_rows": trained}


def _of_package(package: ModelPackage, manifests: str, objects: ObjectStore) -> "Lineage":
    known: Lineage = {}
    stated = package.properties
    manifest = stated.get("manifest", "")
    if stated.get("columns"):
        known["columns"] = [name.replace("_", " ") for name in stated["columns"].split()]
    if stated.get("threshold"):
        known["threshold"] = stated["threshold"]
    rows = numerals.number_or_none(stated.get("train-rows", ""))
    if rows is not None and rows.is_integer() and rows > 0:
        known["train_rows"] = int(rows)
    _, execution, run = package.generated_by.partition(":pipeline/")
    if execution:
        known["run"] = run.replace("/execution/", "/")
    if manifest.startswith(manifests):
        known["run"] = manifest.rpartition("/")[2].removesuffix(".json")
        files = _files(manifest, objects)
        if files:
            known |= {"files": files[:_MOST], "file_count": len(files)}
        people = _uploaders(f"{manifest.removesuffix('.json')}.uploaders.json", objects)
        if people is not None:
            known["uploaders"] = people
    return known


def _unused(package: ModelPackage, runs: str, objects: ObjectStore) -> "Lineage":
    """Return what its run did not use, and what became of its features, as the reports say that a package names."""
    uris = [package.properties.get(name, "") for name in (quarantine.OUTPUT, quarantine.FEATURES)]
    found = quarantine.merged(*(_report(uri, runs, objects) for uri in uris))
    known: Lineage = {}
    if found["files"]:
        known = {"unused": quarantine.sentences(found["files"]), "unused_count": len(found["files"]) + found["more"]}
    if "features" in found:
        known |= {"features": found["features"], "features_report": f"{uris[1].rpartition('/')[0]}/{quarantine.PAGE}"}
    return known


def _report(uri: str, runs: str, objects: ObjectStore) -> "Quarantine":
    """Return a report of files that were not used; of none, or of one that another project could have written."""
    if not uri.startswith(runs):
        return quarantine.NOTHING
    try:
        text = objects.text(uri, quarantine.LIMIT)
        return quarantine.parse(text) if text else quarantine.NOTHING
    except (CallRefusedError, ObjectTooLargeError, ValueError) as error:
        logger.warning("report of quarantined files not read", extra={"uri": uri, "reason": str(error)})
        return quarantine.NOTHING


def _files(manifest: str, objects: ObjectStore) -> list[str]:
    """Return the keys in a manifest (see `uploads.rules.manifest`); none where it cannot be read any more."""
    listed = _read(manifest, objects)
    return [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else []


def _uploaders(uri: str, objects: ObjectStore) -> "RunUploaders | None":
    """Return who uploaded a run's files (see `RunUploaders`); None where nobody is known."""
    found = _read(uri, objects)
    if not isinstance(found, dict):
        return None
    names, count, unknown = found.get("names"), found.get("count"), found.get("unknown")
    if not isinstance(names, list) or not isinstance(count, int) or not isinstance(unknown, int):
        return None
    return {"names": [str(name) for name in names[:_MOST]], "count": count, "unknown": unknown}


def _read(uri: str, objects: ObjectStore) -> object:
    """Return a document that was written with a run; None where it is not there, or cannot be read any more."""
    try:
        return json.loads(objects.text(uri, _MANIFEST_LIMIT) or "null")
    except (CallRefusedError, ObjectTooLargeError, ValueError) as error:
        logger.warning("document of a run not read", extra={"uri": uri, "reason": str(error)})
        return None
