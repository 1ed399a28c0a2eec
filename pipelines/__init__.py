"""SageMaker pipelines: their definitions, and the job code that they run."""
