"""Decides every name, place and request of one run of the mlops machine."""

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from signalbox.aws.model import TESTED
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.training_jobs import TrainingJobs
from signalbox.observability import count, logger
from signalbox.settings import PlanTraining
from signalbox.stages import StagesDocument
from signalbox.training import columns, held_out, limits, lineage, overlap, packages, requests, rules, trained
from signalbox.training.model import Candidate, ImageRequest, InvalidRequestError, TrainingRun
from signalbox.training.setup import Setup

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem
    from signalbox.contracts.training import EvaluationPlan, TrainingPlan, TrainingQuestion, TrainingRequests
    from signalbox.model_documents import ModelDocument

# Characters of the execution's token in a name that has up to 63 (botocore's `sagemaker` model: EntityName).
_SPECIFICATION = 12


class TrainingPorts(NamedTuple):
    """What planning a run needs; `document` returns a model's, None for a model of no project."""

    settings: PlanTraining
    objects: ObjectStore
    packages: ModelRegistry
    jobs: TrainingJobs
    stages: Callable[[], StagesDocument]
    document: Callable[[str], "ModelDocument | None"]


class Tested(NamedTuple):
    """What a test will find: the problem, and how many columns its rows have."""

    problem: "Problem | None" = None
    columns: int = 0


def plan(question: "TrainingQuestion", ports: TrainingPorts) -> "TrainingPlan":
    """Return the plan of an execution.

    Nothing is written, and every name comes from the execution, so a repetition returns the same plan.

    Raises:
        InvalidRequestError: the input is wrong, its data are missing, or its package cannot be evaluated.
        StagesDocumentError: the stages document cannot be used; the evaluation would find that out, once all is paid.
        ServiceBusyError: S3, SageMaker or SSM could not answer in this moment.
    """
    settings, given = ports.settings, question["input"]
    model = rules.model_named(settings.prefix, given)
    document = ports.document(model) if model else None
    stages = (document.stages if document else ()) or ports.stages().stages
    request = rules.read(settings.prefix, given, document.training if document else None)
    run = rules.run_of(question, request.group, settings.artifacts_bucket, request.model if document else "")
    if isinstance(request, ImageRequest):
        candidate = rules.image_candidate(request, run, settings.data_bucket, document)
    else:
        package = ports.packages.find(request.package)
        candidate = packages.package_candidate(request, package, run, document)
    if candidate.registered:
        transform_type = None if candidate.untested else settings.transform_instance_type
        limits.check_package(candidate.registered, transform_type, stages)
    tested, rows = _tested(candidate, ports), _check_overlap(candidate, ports.objects)
    planned = _plan(candidate, run, Setup.of(settings, document), tested)
    planned["evaluation"]["trained"] = trained.of(candidate.registered, ports.jobs) if candidate.registered else None
    planned["evaluation"]["lineage"] = lineage.of(candidate, rows, settings.artifacts_bucket, ports.objects)
    logger.info("training planned", extra={"entry": planned["entry"], "model": planned["model"]})
    count("TrainingPlanned")
    return planned


def _tested(candidate: Candidate, ports: TrainingPorts) -> Tested:
    """Check what a model is tested on, and its images; a package that is not tested has no data to be checked."""
    settings, data = ports.settings, candidate.test_data
    if data is not None:
        held_out.check(candidate, settings.data_bucket, settings.artifacts_bucket)
    files: list[str] = []
    buckets = (settings.data_bucket, settings.artifacts_bucket)
    for field, uri in (*_training_data(candidate, buckets), ("test_data", data)):
        if uri is not None:
            rules.check_bucket(field, uri, buckets)
            files = held_out.first_files(field, uri, ports.objects)
    for container in candidate.containers:
        rules.check_registry(container.image, settings.image_accounts.split(","))
    if data is None or candidate.problem is None:
        return Tested()
    return Tested(candidate.problem, columns.count(files, ports.objects.lines, candidate.problem))


def _training_data(candidate: Candidate, buckets: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the training data that can be looked at, with what they are called.

    A project's jobs may read what lies in other buckets, too, and this stack may not.
    """
    if candidate.project is None:
        return [("train_data", uri) for uri in candidate.channels.values()]
    found = [(f"channel {name}", uri) for name, uri in candidate.channels.items()]
    return [(field, uri) for field, uri in found if uri.startswith(tuple(f"s3://{bucket}/" for bucket in buckets))]


def _check_overlap(candidate: Candidate, objects: ObjectStore) -> int | None:
    """Refuse a test on the rows that an image is trained on; return how many these are, None if they are not read."""
    train_data, test_data = candidate.train_data, candidate.test_data
    if train_data is None or test_data is None:
        return None
    train, test = list(objects.listing(train_data)), list(objects.listing(test_data))
    if sum(file.size for file in (*train, *test)) > overlap.MOST_BYTES:
        logger.info("data not compared", extra={"train_data": train_data, "test_data": test_data})
        return None
    found = overlap.compare(
        *(chain.from_iterable(objects.lines(file.uri) for file in files) for files in (train, test))
    )
    if found.too_large:
        raise InvalidRequestError(
            f"{found.shared} of the {found.rows} rows of test_data {test_data} are training rows too ({train_data}): "
            "a model is tested on rows that it has never seen; take them out of one of the two"
        )
    return found.trained


def _plan(candidate: Candidate, run: TrainingRun, setup: Setup, tested: Tested) -> "TrainingPlan":
    return {
        "entry": "image" if candidate.package is None else "package",
        "model": candidate.model,
        "package": candidate.package,
        "names": run.names,
        "requests": _requests(candidate, run, setup),
        "pinning": {
            "target": run.kept,
            "specification": None if candidate.package is None else f"{TESTED}{run.client_token[:_SPECIFICATION]}",
        },
        "evaluation": _evaluation(candidate, run, tested, setup),
        "training_seconds": setup.longest,
    }


def _requests(candidate: Candidate, run: TrainingRun, setup: Setup) -> "TrainingRequests":
    image, test_data = candidate.package is None, candidate.test_data
    return {
        "training": requests.training_job(candidate, run, setup) if image else None,
        "model": requests.model(candidate, run, setup),
        "transform": None if test_data is None else requests.transform_job(candidate, run, test_data, setup),
        "group": requests.package_group(candidate, setup) if image else None,
    }


def _evaluation(candidate: Candidate, run: TrainingRun, tested: Tested, setup: Setup) -> "EvaluationPlan":
    planned: EvaluationPlan = {
        "model": candidate.model,
        "group": candidate.group,
        "package": candidate.package,
        "commit": candidate.commit,
        "image": candidate.image,
        "model_data": candidate.model_data,
        "content_type": candidate.content_type,
        "train_data": candidate.train_data,
        "test_data": candidate.test_data or "",
        "registered_by": candidate.registered.created_by if candidate.registered else "",
        "predictions": run.predictions,
        "evidence": run.evidence,
        "client_token": run.client_token,
        "fleet": requests.fleet(setup) if candidate.package is None else None,
    }
    if candidate.untested:
        planned["untested"] = candidate.untested
    if tested.problem:
        planned |= {"problem": tested.problem, "columns": tested.columns}
    return planned
