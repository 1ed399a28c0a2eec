"""Put a pipeline in place."""

from types import ModuleType
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate.commands.terminal import StackName, console, region, stack_of
from signalbox_operate.stack import OperateError


def publish(
    model: Annotated[str, typer.Argument(help="Name of a seed with a pipeline, such as abalone")],
    stack: StackName = "signalbox",
    xgboost_image: Annotated[str | None, typer.Option(help="Full URI, in place of the region's own image")] = None,
    scikit_learn_image: Annotated[str | None, typer.Option(help="Full URI, in place of the region's own image")] = None,
) -> None:
    """Upload a model's job code, create or update the pipeline that uploads start, and let its project claim them."""
    publication = _publication()
    if model not in publication.CODE:
        raise OperateError(f"there is no pipeline {model!r}: the pipelines are {', '.join(publication.CODE)}")
    found, in_region = stack_of(stack), region()
    bucket, role = found.output("ArtifactsBucket"), found.output("PipelineRoleArn")
    uri = f"s3://{bucket}/{publication.folder(model)}"
    settings = publication.settings(
        found, model, uri, in_region, xgboost_image=xgboost_image, scikit_learn_image=scikit_learn_image
    )
    definition = publication.abalone.definition(settings)  # wrong settings stop here, before anything is written
    publication.upload_code(model, bucket, account.client("s3"))
    outcome = publication.put_pipeline(settings.name, role, definition, account.client("sagemaker"))
    publication.claim_uploads(found.output("Prefix"), model, account.client("ssm"))
    console.print(f"pipeline {settings.name} {outcome}; its code is under {uri}")


def _publication() -> ModuleType:
    """Return the module that has the seeds' pipelines, which are in the repository and not in what is installed.

    Raises:
        OperateError: this is what is installed.
    """
    try:
        from signalbox_operate import publish as publication  # noqa: PLC0415  # see above
    except ModuleNotFoundError as error:
        raise OperateError("publish needs a clone of Signalbox, which has the pipelines that it publishes") from error
    return publication
