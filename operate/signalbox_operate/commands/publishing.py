"""Put a pipeline in place."""

from typing import Annotated

import typer
from projects.abalone.pipeline import definition as abalone

from signalbox_operate import account
from signalbox_operate import publish as publication
from signalbox_operate.commands.terminal import StackName, console, region, stack_of
from signalbox_operate.stack import OperateError


def publish(
    model: Annotated[str, typer.Argument(help=f"One of: {', '.join(publication.CODE)}")],
    stack: StackName = "signalbox",
    xgboost_image: Annotated[str | None, typer.Option(help="Full URI, in place of the region's own image")] = None,
    scikit_learn_image: Annotated[str | None, typer.Option(help="Full URI, in place of the region's own image")] = None,
) -> None:
    """Upload a model's job code, and create or update the pipeline that uploads start."""
    if model not in publication.CODE:
        raise OperateError(f"there is no pipeline {model!r}: the pipelines are {', '.join(publication.CODE)}")
    found, in_region = stack_of(stack), region()
    bucket, role = found.output("ArtifactsBucket"), found.output("PipelineRoleArn")
    uri = f"s3://{bucket}/{publication.folder(model)}"
    settings = publication.settings(
        found, model, uri, in_region, xgboost_image=xgboost_image, scikit_learn_image=scikit_learn_image
    )
    definition = abalone.definition(settings)  # wrong settings stop here, before anything is written
    publication.upload_code(model, bucket, account.client("s3"))
    outcome = publication.put_pipeline(settings.name, role, definition, account.client("sagemaker"))
    console.print(f"pipeline {settings.name} {outcome}; its code is under {uri}")
