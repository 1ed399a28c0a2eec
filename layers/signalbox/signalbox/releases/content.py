"""Is a package what was approved? Its evidence says what was tested, by content; what differs is never released."""

import json
from copy import replace
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from signalbox import names
from signalbox.aws.model import Endpoint, ModelContainer, ModelPackage
from signalbox.aws.objects import StoredObject
from signalbox.contents import containers_of
from signalbox.contracts.training import ContainerContent, ModelContent
from signalbox.reading import Fields
from signalbox.releases.model import ReleaseError
from signalbox.releases.ports import EvidenceReader

if TYPE_CHECKING:
    from signalbox.aws.model import Compression, DataType

_EVIDENCE_LIMIT = 1_000_000  # bytes; a report has about four thousand
_MOST_CONTAINERS = 14  # behind the first (botocore's `sagemaker` model: ContainerDefinitionList)


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
    check_data(content, package.arn, files)
    if not back:  # the way back is not to be barred by whoever may write as a job
        _check_sources(content, package.arn, files)
    return content


def check_data(content: ModelContent, package: str, files: EvidenceReader) -> None:
    """Refuse data of a model that were replaced.

    Raises:
        ContentChangedError: they were, or they are gone.
    """
    for container in filter(itemgetter("model_data"), containers_of(content)):
        uri = container["model_data"]
        stored = files.look_under(uri) if _is_prefix(container) else files.look(*names.bucket_and_key(uri))
        if stored is None:
            raise ContentChangedError(package, f"{uri} is gone")
        if (stored.version, stored.etag) != (container["version"], container["etag"]):
            raise _replaced(package, uri, stored)


def _check_sources(content: ModelContent, package: str, files: EvidenceReader) -> None:
    """Refuse a model whose origin was replaced, although the copy serves: somebody writes where only its job should.

    That it is gone is no reason: it is not needed any more.
    """
    for container in filter(itemgetter("source"), containers_of(content)):
        uri = container["source"]
        stored = files.look_under(uri) if _is_prefix(container) else files.look(*names.bucket_and_key(uri))
        if stored is not None and stored.etag != container["source_etag"]:
            raise _replaced(package, uri, stored)


def _is_prefix(container: ContainerContent) -> bool:
    return container.get("data_type") == "S3Prefix"


def _replaced(package: str, uri: str, stored: StoredObject) -> ContentChangedError:
    return ContentChangedError(package, f"{uri} was replaced on {stored.modified:%Y-%m-%d at %H:%M:%S} UTC")


def check_images(content: ModelContent, endpoint: Endpoint) -> None:
    """Refuse an endpoint that runs another image; one whose images SageMaker does not tell is not refused.

    Raises:
        ContentChangedError: it does.
    """
    tested = [one["image"] for one in containers_of(content)]
    digests = {image.partition("@")[2] for image in tested}
    for image in endpoint.images:
        if image.partition("@")[2] not in digests:
            raise ContentChangedError(endpoint.name, f"it runs {image}, not {' and '.join(tested)}")


def read(document: Fields) -> ModelContent:
    """Return the content that a report or golden requests are about; a field that is wrong is refused by its name."""
    fields = document.inside("content")
    content = cast("ModelContent", {**_container(fields), "specification": fields.optional("specification")})
    if "behind" in fields:
        content["behind"] = [_container(one) for one in fields.objects("behind", (1, _MOST_CONTAINERS))]
    return content


def _container(fields: Fields) -> ContainerContent:
    source = fields.any_text("source")
    content: ContainerContent = {
        "image": fields.text("image"),
        "source": source,
        "source_etag": fields.text("source_etag") if source else "",
        "model_data": fields.text("model_data") if source else "",
        "version": fields.optional("version"),
        "etag": fields.text("etag") if source else "",
        "environment": fields.pairs("environment"),
    }
    if "data_type" in fields:
        content["data_type"] = cast("DataType", fields.choice("data_type", ("S3Object", "S3Prefix")))
        content["compression"] = cast("Compression", fields.choice("compression", ("None", "Gzip")))
    return content


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
    tested = [
        ModelContainer(
            image=one["image"],
            model_data=one["model_data"] or None,
            environment=one["environment"],
            data_type=one.get("data_type"),
            compression=one.get("compression"),
        )
        for one in containers_of(content)
    ]
    if [replace(one, digest="", environment=dict(one.environment)) for one in containers] != tested:
        raise ContentChangedError(
            package.arn,
            f"its image, model data or environment are no longer {content['image']} with {content['model_data']}",
        )
