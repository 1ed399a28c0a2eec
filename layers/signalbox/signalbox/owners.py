"""Whose a model is, and what its project decides for it, else the stack: who approves it, and its stages."""

from typing import TYPE_CHECKING

from signalbox import names, projects
from signalbox.observability import count, logger

if TYPE_CHECKING:
    from signalbox.stages import StagesDocument


def approvers(prefix: str, model: str) -> tuple[str, ...]:
    """Return the addresses of a model's own approvers; none where its project names none.

    `model` may be the ARN of a package, where nobody knows more. A document that cannot be used names nobody: then the
    stack's approvers are asked and told, who can mend it.

    Raises:
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    try:
        document = projects.load_model(prefix, _short(prefix, model))
    except projects.ProjectDocumentError as error:
        _tell(model, error)
        return ()
    return document.approvers if document else ()


def project(prefix: str, model: str) -> str | None:
    """Return whose a model is; None where no project has it, or its document cannot be used.

    Raises:
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    try:
        document = projects.load_model(prefix, model)
    except projects.ProjectDocumentError as error:
        _tell(model, error)
        return None
    return document.project if document else None


def stages(prefix: str, parameter: str, model: str) -> "StagesDocument":
    """Return the stages of a model: its own, else those of the stack, which are in the SSM parameter `parameter`.

    Raises:
        ProjectDocumentError: the model's document cannot be used.
        StagesDocumentError, ServiceBusyError, CallRefusedError: see `stages.load`.
    """
    from signalbox.stages import StagesDocument, load  # noqa: PLC0415  # who only mails reads no stages

    document = projects.load_model(prefix, model)
    return StagesDocument(document.stages) if document and document.stages else load(parameter)


def _tell(model: str, error: projects.ProjectDocumentError) -> None:
    logger.error("model document not understood", extra={"model": model, "reason": str(error)})
    count("ProjectNotUnderstood")


def _short(prefix: str, model: str) -> str:
    try:
        return names.model_of_group(prefix, names.group_of_package(model))
    except ValueError:
        return model
