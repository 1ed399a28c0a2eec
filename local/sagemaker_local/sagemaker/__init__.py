"""SageMaker as its API describes it: real jobs, real endpoints, real refusals."""
