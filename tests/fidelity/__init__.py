"""Programs written for SageMaker, each in the environment that its makers pin, run against the local cloud."""
