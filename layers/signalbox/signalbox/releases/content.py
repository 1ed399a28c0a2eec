"""Is a package what was approved? Its evidence says what was tested, by content; what differs is never released."""

import json
from copy import replace

from signalbox import names
from signalbox.aws.model import Endpoint, ModelContainer, ModelPackage
from signalbox.aws.objects import StoredObject
from signalbox.contracts.training import ModelContent
from signalbox.reading import Fields
from signalbox.releases.model import ReleaseError
from signalbox.releases.ports import EvidenceReader

_EVIDENCE_LIMIT = 1_000_000  # bytes; a report has about four thousand


class ContentChangedError(ReleaseError):
    """A package, its image or its model's data are not what was tested and approved."""

    def __init__(self, subject: str, problem: str) -> None:
        super().__init__(f"{subject} is not what was tested and approved: {problem}; nothing of it is released")


class NotTestedError(ReleaseError):
    """No evidence says what the content of a package is."""

    def __init__(self, package: str, problem: str) -> None:
        super().__init__(
            f"{package} {problem}: nothing of it is released; start the mlops machine with the package, "
            "which tests it and asks for its approval"
        )


def check_report(package: ModelPackage, report: str) -> None:
    """Refuse a package that was tested again since `report` was approved.

    Raises:
        ContentChangedError: it has other evidence now.
    """
    if (package.report or "") != report:
        raise ContentChangedError(
            package.arn, f"it was tested again; {report} was approved, and it has {package.report or 'no report'} now"
        )


def approved(package: ModelPackage, files: EvidenceReader, *, back: bool) -> ModelContent | None:
    """Return the content of a package as it was tested, which is the content that it has now.

    A rollback goes `back` to what served before, which may have been tested when contents were not recorded yet: None.

    Raises:
        NotTestedError: it has no report, or one that does not say what was tested.
        ContentChangedError: its report is another package's, or the package or its model's data have changed since.
    """
    text = files.text(package.report, _EVIDENCE_LIMIT) if package.report else None
    try:
        content = _tested(package, text)
    except NotTestedError:
        if back:
            return None
        raise
    _check_package(package, content)
    check_data(content, package.arn, files.look(*names.bucket_and_key(content["model_data"])))
    if not back:  # the way back is not to be barred by whoever may write as a job
        _check_source(content, package.arn, files.look(*names.bucket_and_key(content["source"])))
    return content


def check_data(content: ModelContent, package: str, stored: StoredObject | None) -> None:
    """Refuse data of a model that were replaced; `stored` is what lies in their place now.

    Raises:
        ContentChangedError: they were, or they are gone.
    """
    if stored is None:
        raise ContentChangedError(package, f"{content['model_data']} is gone")
    if (stored.version, stored.etag) != (content["version"], content["etag"]):
        raise _replaced(package, content["model_data"], stored)


def _check_source(content: ModelContent, package: str, stored: StoredObject | None) -> None:
    """Refuse a model whose origin was replaced, although the copy serves: somebody writes where only its job should.

    That it is gone is no reason: it is not needed any more.
    """
    if stored is not None and stored.etag != content["source_etag"]:
        raise _replaced(package, content["source"], stored)


def _replaced(package: str, uri: str, stored: StoredObject) -> ContentChangedError:
    return ContentChangedError(package, f"{uri} was replaced on {stored.modified:%Y-%m-%d at %H:%M:%S} UTC")


def check_images(content: ModelContent, endpoint: Endpoint) -> None:
    """Refuse an endpoint that runs another image; one whose images SageMaker does not tell is not refused.

    Raises:
        ContentChangedError: it does.
    """
    digest = content["image"].partition("@")[2]
    for image in endpoint.images:
        if image.partition("@")[2] != digest:
            raise ContentChangedError(endpoint.name, f"it runs {image}, not {content['image']}")


def read(document: Fields) -> ModelContent:
    """Return the content that a report or golden requests are about; a field that is wrong is refused by its name."""
    fields = document.inside("content")
    return {
        "image": fields.text("image"),
        "source": fields.text("source"),
        "source_etag": fields.text("source_etag"),
        "model_data": fields.text("model_data"),
        "version": fields.optional("version"),
        "etag": fields.text("etag"),
        "environment": fields.pairs("environment"),
        "specification": fields.optional("specification"),
    }


def _tested(package: ModelPackage, report: str | None) -> ModelContent:
    if not report:
        raise NotTestedError(package.arn, f"has no report ({package.report or 'none is named'})")
    try:
        document = json.loads(report)
    except ValueError as error:
        raise NotTestedError(package.arn, f"has the report {package.report}, which is no JSON ({error})") from None

    def refuse(problem: str) -> ReleaseError:
        return NotTestedError(
            package.arn, f"has a report that does not say what was tested ({package.report}: {problem})"
        )

    content = read(Fields(document, refuse))
    about, execution = document.get("package"), document.get("execution")
    if about != package.arn and (about is not None or execution != package.generated_by):
        raise ContentChangedError(package.arn, f"its report {package.report} is about {about or execution}")
    return content


def _check_package(package: ModelPackage, content: ModelContent) -> None:
    name = content["specification"]
    containers = package.containers if name is None else package.additional.get(name, ())
    tested = ModelContainer(content["image"], content["model_data"], content["environment"])
    if [replace(one, digest="", environment=dict(one.environment)) for one in containers] != [tested]:
        raise ContentChangedError(
            package.arn,
            f"its image, model data or environment are no longer {content['image']} with {content['model_data']}",
        )
