"""What a registered package brings with it, and whether it can be tested: on held-out rows, by a batch transform."""

from copy import replace
from typing import TYPE_CHECKING

from signalbox.aws.model import ModelContainer, ModelPackage
from signalbox.contracts.problems import PROBLEMS
from signalbox.training import held_out
from signalbox.training.limits import largest_payload
from signalbox.training.model import CONTENT_TYPE, Candidate, InvalidRequestError, PackageRequest, TrainingRun
from signalbox.training.rules import is_csv

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem
    from signalbox.contracts.training import Untested
    from signalbox.model_documents import ModelDocument

PROBLEM = "problem"


def package_candidate(
    request: PackageRequest, package: ModelPackage | None, run: TrainingRun, document: "ModelDocument | None" = None
) -> Candidate:
    """Return the model in a package; None stands for a package that is not registered.

    What a package states has to be right; what neither it nor the model's document states leaves it untested.

    Raises:
        InvalidRequestError: there is no such package, it is settled, or what it states cannot be used.
    """
    if package is None:
        raise InvalidRequestError(f"package {request.package} is not in the registry: check its group and version")
    if package.settled:
        raise InvalidRequestError(
            f"package {package.arn} is tested and approved, and what was approved is not tested again: reject it "
            "first, or register a new version"
        )
    containers, problem, stated = _containers(package), _problem(package), held_out.stated(package)
    test = document.test if document else None
    taken = _taken(package, test.content_type if test else CONTENT_TYPE)
    reasons = _reasons(taken, problem, stated)
    untested: Untested = {
        "reasons": reasons,
        "statistics": package.statistics or None,
        "golden": test.golden if test else None,
        "takes": taken,
        "answers": list(package.response_types or taken),
        "first": run.answers,
    }
    return Candidate(
        model=request.model,
        group=request.group,
        package=package.arn,
        commit=package.commit,
        containers=containers,
        problem=None if reasons else problem,
        test_data=None if reasons else stated,
        isolated=request.isolated,
        registered=package,
        max_payload_mb=request.max_payload_mb or largest_payload(package),
        content_type=taken[0] if reasons else CONTENT_TYPE,
        untested=untested if reasons else None,
        project=document.project if document else None,
    )


def _reasons(taken: list[str], problem: "Problem | None", test_data: str | None) -> list[str]:
    """Return why a package cannot be tested; nothing where it can."""
    found = {
        f"It takes {', '.join(taken)}, and test rows are {CONTENT_TYPE}.": any(map(is_csv, taken)),
        f"It does not say which problem it solves (the customer metadata property '{PROBLEM}').": problem,
        f"It does not say where its test data are (the customer metadata property '{held_out.TEST_DATA}').": test_data,
    }
    return [reason for reason, given in found.items() if not given]


def _taken(package: ModelPackage, usual: str) -> list[str]:
    """Return the content types that a package takes: as its property says, else as it was registered, else `usual`."""
    stated = package.properties.get("content-type")
    return [stated] if stated else list(package.content_types or (usual,))


def _containers(package: ModelPackage) -> tuple[ModelContainer, ...]:
    """Return the containers of a package that is complete, each with its image as it was registered."""
    if package.state != "Completed":
        raise InvalidRequestError(f"package {package.arn} is {package.state}: register one that is Completed")
    if not package.containers:
        raise InvalidRequestError(f"package {package.arn} has no containers: register it with its image and its model")
    for container in package.containers:
        if container.foreign:
            raise InvalidRequestError(
                f"package {package.arn} has {', '.join(container.foreign)}, which cannot be kept by its content: "
                "register it with its whole model in one ModelDataUrl or S3Uri"
            )
    return tuple(replace(one, image=_pinned_image(one)) for one in package.containers)


def _pinned_image(container: ModelContainer) -> str:
    """Return the image by the digest that it had when the package was registered, where SageMaker says which."""
    if not container.digest or "@" in container.image:
        return container.image
    folder, _, name = container.image.rpartition("/")
    return f"{folder}/{name.split(':')[0]}@{container.digest}"


def _problem(package: ModelPackage) -> "Problem | None":
    """Return the problem that a package states, None where it states none."""
    stated = package.properties.get(PROBLEM)
    if not stated or stated in PROBLEMS:
        return stated or None
    raise InvalidRequestError(
        f"package {package.arn} says that its problem is {stated!r}: give it the customer metadata property "
        f"{PROBLEM!r}, one of {', '.join(PROBLEMS)}, and start the machine with it again"
    )
