"""A sealed run gets what its pipeline reads, and its execution."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from signalbox.aws.errors import CallRefusedError
from signalbox.observability import count, logger
from signalbox.project_documents import NOTHING, URL, ProjectPipeline
from signalbox.projects import OwnedPipeline
from signalbox.uploads import rules, uploaders, versions
from signalbox.uploads.model import (
    EMPTY,
    MANIFESTS,
    NO_UPLOADS,
    STARTED,
    Run,
    RunPostponedError,
    RunRefusedError,
    Upload,
)
from signalbox.uploads.ports import FileCopier, PipelineExecutions, UploadObjects, UploadStore

# After so much of its minute a function begins no further copy; one of 2 GiB is the longest.
COPYING = timedelta(seconds=25)
# Why a run that had uploads has no execution.
DELETED = "all its uploads were deleted before it could start"


class LaunchingPorts(NamedTuple):
    """What launching needs from outside; `began` is when the function was called."""

    artifacts: str
    store: UploadStore
    objects: UploadObjects
    copier: FileCopier
    executions: PipelineExecutions
    clock: Callable[[], datetime]
    began: datetime


def launch(run: Run, owned: OwnedPipeline | None, ports: LaunchingPorts) -> bool:
    """Bring a sealed run to its execution, with what the project's present document says the pipeline takes.

    Where there is nothing for it to run over, it is closed instead; say whether it was started.

    A run that repeats another gets what that one got: the manifest, the address, or the folder that has its name.
    Where its name has none, since the pipeline took something else then, it is made now.

    Raises:
        RunPostponedError: not all of its files are copied yet, or SageMaker says later.
        RunRefusedError: no project has its pipeline, or AWS refuses something for good.
    """
    uploads = rules.data_of(ports.store.input_of(run))
    if _is_empty(run, uploads, owned):
        ports.store.move(run, EMPTY, at=ports.clock(), reason=DELETED if run.looked else None)
        return False
    ready = run
    try:
        pipeline, keys = _taking(run, owned), sorted({upload.key for upload in uploads})
        with _refusals():
            if pipeline.takes != NOTHING:
                prepare = _with_copies if pipeline.takes == URL else _with_manifest
                ready = prepare(run, uploads, keys, ports)
        _check_copied(ready, keys, pipeline)
        execution = ports.executions.start(
            pipeline,
            _value(ready, uploads, keys, pipeline, ports.artifacts),
            token=run.token,
            display_name=rules.display_name(run, uploads),
            description=rules.description(run, uploads),
        )
    except RunPostponedError as error:
        if replace(ready, waits_for=error.waits_for) != run:
            ports.store.note(ready, error.waits_for)
        raise
    ports.store.move(ready, STARTED, at=ports.clock(), execution=execution)
    about = {"run": run.id, "execution": execution, "uploads": len(uploads)}
    logger.info("run started", extra={**about, "repeats": run.repeats, "commit": run.commit})
    count("RunStarted")
    return True


def _is_empty(run: Run, uploads: Sequence[Upload], owned: OwnedPipeline | None) -> bool:
    """Say whether a run has nothing to run over, and its pipeline is none that takes nothing."""
    wants_none = run.repeats == NO_UPLOADS and (owned is None or owned.pipeline.takes == NOTHING)
    return not uploads and not wants_none


def _taking(run: Run, owned: OwnedPipeline | None) -> ProjectPipeline:
    if owned is None or (owned.pipeline.takes == NOTHING and run.repeats is None):
        what = "no project has" if owned is None else f"the project {owned.project.project} gives no uploads to"
        raise RunRefusedError("NoProject", f"{what} the pipeline {run.pipeline} any more: deploy one that does")
    return owned.pipeline


@contextmanager
def _refusals() -> Iterator[None]:
    """Let what S3 refuses for good refuse the run."""
    try:
        yield
    except CallRefusedError as error:
        raise RunRefusedError(error.code, str(error)) from error


def _with_manifest(run: Run, uploads: Sequence[Upload], _: Sequence[str], ports: LaunchingPorts) -> Run:
    """Write the run's manifest, unless an earlier try has done so.

    Who uploaded its files, and which version of each it is over, is written before, so that whoever finds a manifest
    finds them too. That of a run which is repeated is written once more, to the same words: so it is there whatever
    became of it.
    """
    if run.folder == MANIFESTS and run.waits_for:
        # A version before projects had it refused, so no execution has its token; and a project's jobs may read only
        # what lies under their pipeline's name. One without a refusal may have its execution, with that manifest.
        run = replace(run, folder=rules.folder(run.pipeline), has_manifest=False)
    if run.has_manifest:
        return run
    place, people = f"s3://{ports.artifacts}/{run.folder}/{run.source}", uploaders.of(uploads)
    if people is not None:
        ports.objects.write(f"{place}.uploaders.json", json.dumps(people), "application/json")
    known = json.dumps(versions.of(uploads), ensure_ascii=False)
    ports.objects.write(f"{place}.json{versions.SUFFIX}", known, "application/json")
    ports.objects.write(f"{place}.json", rules.manifest(uploads), "application/json")
    return replace(run, has_manifest=True)


def _with_copies(run: Run, uploads: Sequence[Upload], keys: Sequence[str], ports: LaunchingPorts) -> Run:
    """Copy the files of a run that has several, as many as there is time for.

    A file that is gone meanwhile is left out, as S3 would leave it out of a folder. A repetition copies over what is
    there.
    """
    called = rules.names_of_copies(keys)
    for key in keys[run.copied :] if len(keys) > 1 else ():
        if ports.clock() - ports.began >= COPYING:
            break
        ports.copier.copy(f"s3://{uploads[0].bucket}/{key}", f"{_folder(run, ports.artifacts)}{called[key]}")
        run = replace(run, copied=run.copied + 1)
    return run


def _check_copied(run: Run, keys: Sequence[str], pipeline: ProjectPipeline) -> None:
    if pipeline.takes == URL and run.copied < len(keys) > 1:
        raise RunPostponedError("its files are being copied")


def _value(
    run: Run, uploads: Sequence[Upload], keys: Sequence[str], pipeline: ProjectPipeline, artifacts: str
) -> str | None:
    if pipeline.takes == NOTHING:
        return None
    if pipeline.takes != URL:
        return f"s3://{artifacts}/{run.folder}/{run.source}.json"
    return _folder(run, artifacts) if len(keys) > 1 else f"s3://{uploads[0].bucket}/{keys[0]}"


def _folder(run: Run, artifacts: str) -> str:
    return f"s3://{artifacts}/inputs/{run.pipeline}/{run.source}/"
