"""SageMaker Pipelines: definitions are checked as the service checks them, executions run their steps as the role."""
