"""What a model's project decides for it, else the stack: who approves it, and the stages that it goes through."""

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
        logger.error("model document not understood", extra={"model": model, "reason": str(error)})
        count("ProjectNotUnderstood")
        return ()
    return document.approvers if document else ()


def stages(prefix: str, parameter: str, model: str) -> "StagesDocument":
    """Return the stages of a model: its own, else those of the stack, which are in the SSM parameter `parameter`.

    Raises:
        ProjectDocumentError: the model's document cannot be used.
        StagesDocumentError, ServiceBusyError, CallRefusedError: see `stages.load`.
    """
    from signalbox.stages import StagesDocument, load  # noqa: PLC0415  # who only mails reads no stages

    document = projects.load_model(prefix, model)
    return StagesDocument(document.stages) if document and document.stages else load(parameter)


def _short(prefix: str, model: str) -> str:
    try:
        return names.model_of_group(prefix, names.group_of_package(model))
    except ValueError:
        return model
