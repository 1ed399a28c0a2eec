"""The cloud on one machine: SageMaker, CloudTrail's events and what ministack lacks, in one process with ministack."""
