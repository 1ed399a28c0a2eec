"""Features of a project, declared in `features.yaml`: fitted once, applied the same in the job and where it serves.

The job runs in SageMaker's scikit-learn image (Python 3.8 at the oldest, an old boto3, no YAML), so this package uses
the standard library alone; pandas and pyarrow are loaded where a step or a Parquet file needs them.
"""
