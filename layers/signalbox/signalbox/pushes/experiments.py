"""What a branch has made beside main: pipelines and package groups of its own, which go with it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signalbox import moments, names
from signalbox.aws import clients, parameters
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, none_if_missing, translated
from signalbox.observability import count, logger
from signalbox.pushes.documents import PushDocumentError, parse_note

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_ssm import SSMClient

# Amazon SageMaker AI API reference, DeletePipeline: "if there are no running instances of the pipeline".
_RUNNING = "ConflictException"


class BranchResources:
    """The pipelines and package groups of branches."""

    def __init__(self, prefix: str, sagemaker: "SageMakerClient | None" = None, ssm: "SSMClient | None" = None) -> None:
        self._prefix = prefix
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")
        self._ssm: SSMClient = ssm or clients.client("ssm")

    def remove(self, project: str, branch: str) -> Sequence[str]:
        """Delete the pipelines and package groups of a branch, then the note of them; return what they were called.

        A death in between leaves the note, so that the repetition goes on. One that cannot be read says of nothing that
        it is the branch's, and would hold up the project's other branches: it is logged and counted, and goes alone.

        Raises:
            ServiceBusyError: something of it still runs, and was stopped; or AWS could not answer.
            CallRefusedError: AWS refused a call.
        """
        parameter = names.experiment_parameter(self._prefix, project, branch)
        text = parameters.find(parameter, self._ssm)
        if not text:
            return ()
        pipelines, groups = self._made(text, project, branch)
        for name in pipelines:
            self._delete_pipeline(name)
        for name in groups:
            self._delete_group(name)
        with translated(f"ssm:DeleteParameter of {parameter}"), none_if_missing():
            self._ssm.delete_parameter(Name=parameter)
        return [*pipelines, *groups]

    def _made(self, text: str, project: str, branch: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the pipelines and groups in a branch's note.

        A build wrote it: whatever it says, nothing but what is a branch's of this project is deleted.
        """
        try:
            note = parse_note(text)
        except PushDocumentError as error:
            logger.error("note not understood", extra={"project": project, "branch": branch, "reason": str(error)})
            count("BranchNoteIgnored")
            return (), ()
        place = f"{self._prefix}-{project}--"
        pipelines = [name for name in note.pipelines.values() if _is_of(name, place, branch)]
        return pipelines, [name for name in note.groups.values() if name.startswith(place)]

    def _delete_pipeline(self, name: str) -> None:
        operation = f"sagemaker:DeletePipeline of {name}"
        try:
            with translated(operation), none_if_missing():
                # Another token each time: with that of a deletion before, SageMaker would delete nothing.
                token = names.token("delete", name, moments.text_of(moments.now()))
                self._sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=token)
        except CallRefusedError as error:
            if error.code != _RUNNING:
                raise
            self._stop(name)
            raise ServiceBusyError(operation, "it runs, and is being stopped") from error

    def _stop(self, name: str) -> None:
        with translated(f"sagemaker:StopPipelineExecution of {name}"):
            found = self._sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
            for one in found:
                if one["PipelineExecutionStatus"] == "Executing":
                    arn = one["PipelineExecutionArn"]
                    self._sagemaker.stop_pipeline_execution(
                        PipelineExecutionArn=arn, ClientRequestToken=names.token("stop", arn)
                    )

    def _delete_group(self, name: str) -> None:
        """Delete a package group with its packages: SageMaker deletes no group that has some."""
        with translated(f"sagemaker:DeleteModelPackageGroup of {name}"), none_if_missing():
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name)
            for page in pages:
                for one in page["ModelPackageSummaryList"]:
                    self._sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
            self._sagemaker.delete_model_package_group(ModelPackageGroupName=name)


def _is_of(pipeline: str, place: str, branch: str) -> bool:
    """Say whether a pipeline is the branch's: one of main's has no branch at its end."""
    return pipeline.startswith(place) and pipeline.endswith(f"--{names.branch_key(branch)}")
