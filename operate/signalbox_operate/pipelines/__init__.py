"""Build SageMaker pipeline definitions as plain JSON, checked before AWS sees them."""

from signalbox_operate.pipelines import images
from signalbox_operate.pipelines.builder import (
    Parameter,
    Pipeline,
    Step,
    at_least,
    at_most,
    call_lambda,
    condition,
    fail,
    get,
    job,
    join,
    json_get,
    output_of,
    retry,
)
from signalbox_operate.pipelines.checks import check
from signalbox_operate.pipelines.features import features_job, features_problem, features_usable
from signalbox_operate.pipelines.form import Json, PipelineError
from signalbox_operate.pipelines.images import UnknownRegionError

__all__ = [
    "Json",
    "Parameter",
    "Pipeline",
    "PipelineError",
    "Step",
    "UnknownRegionError",
    "at_least",
    "at_most",
    "call_lambda",
    "check",
    "condition",
    "fail",
    "features_job",
    "features_problem",
    "features_usable",
    "get",
    "images",
    "job",
    "join",
    "json_get",
    "output_of",
    "retry",
]
