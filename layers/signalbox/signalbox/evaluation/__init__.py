"""The train journey's evidence: how good a model is, beside the one that is live, and what it answers to what."""

from signalbox.evaluation.adapters import EndpointModels, S3Objects
from signalbox.evaluation.evaluate import evaluate
from signalbox.evaluation.rows import EvaluationError

__all__ = ["EndpointModels", "EvaluationError", "S3Objects", "evaluate"]
