"""What a test or an owner of the local cloud may turn."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PipelineSettings:
    """Paces and quotas of the engine.

    `retry_scale` multiplies every interval between two attempts of a step: 0 in tests. The quotas are those that the
    General Reference publishes for SageMaker: 20 concurrent executions and 500 pipelines per account.
    """

    poll_seconds: float = 0.5
    retry_scale: float = 1.0
    concurrent_executions: int = 20
    pipelines: int = 500
