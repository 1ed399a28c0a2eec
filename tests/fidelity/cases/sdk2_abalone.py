"""The pipeline definition that SDK v2 writes for its abalone example runs to a registered package."""

import json
import os
import time
from pathlib import Path

import boto3

HERE = Path(__file__).parent
bucket, role = os.environ["BUCKET"], os.environ["ROLE"]
definition = (HERE / "abalone-definition.json").read_text()
definition = definition.replace("sagemaker-us-east-1-123456789012", bucket)
definition = definition.replace("arn:aws:iam::123456789012:role/SageMakerExecutionRole", role)
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
s3.upload_file(os.environ["ABALONE"], bucket, "abalone/abalone.csv")
for name in ("preprocess.py", "evaluate.py"):
    s3.upload_file(str(HERE / "abalone" / name), bucket, f"code/{name}")
sagemaker.create_model_package_group(ModelPackageGroupName="AbaloneModelPackageGroup")
sagemaker.create_pipeline(PipelineName="AbalonePipeline", PipelineDefinition=definition, RoleArn=role)
arn = sagemaker.start_pipeline_execution(PipelineName="AbalonePipeline")["PipelineExecutionArn"]
while True:
    found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    if found["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
        break
    time.sleep(1)
steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
print(json.dumps(steps, default=str, indent=1))
assert found["PipelineExecutionStatus"] == "Succeeded", found.get("FailureReason")
(package,) = sagemaker.list_model_packages(ModelPackageGroupName="AbaloneModelPackageGroup")["ModelPackageSummaryList"]
assert package["ModelApprovalStatus"] == "PendingManualApproval", package
