"""Capture, shadows and asynchronous inference in our cloud, through boto3, under the rights of the model's role."""

import json
from typing import Any

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, name, until


def config(cloud: World, model: str, **members: Any) -> str:
    made = name("config")
    variant = {"VariantName": "a", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    shadows = [{**variant, **one} for one in members.pop("shadows", [])]
    more = {**members, **({"ShadowProductionVariants": shadows} if shadows else {})}
    cloud.client("sagemaker").create_endpoint_config(EndpointConfigName=made, ProductionVariants=[variant], **more)
    return made


def keys(cloud: World, bucket: str) -> list[str]:
    found = cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [item["Key"] for item in found]


def test_exchanges_of_a_variant_and_its_shadow_are_captured_as_the_models_role(cloud: World) -> None:
    bucket, model = cloud.bucket(), cloud.model()
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    endpoint = cloud.endpoint(config(cloud, model, DataCaptureConfig=capture, shadows=[{"VariantName": "b"}]))
    runtime = cloud.client("sagemaker-runtime")

    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=b"1,2", ContentType="text/csv", InferenceId="i")

    assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"1,2", "a")
    found = until(lambda: keys(cloud, bucket) if len(keys(cloud, bucket)) > 1 else None)
    assert sorted(key.split("/")[1:3] for key in found) == [[endpoint, "a"], [endpoint, "b"]]
    lines = [json.loads(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()) for key in found]
    assert {line["captureData"]["endpointOutput"]["data"] for line in lines} == {"1,2"}
    assert {line["eventMetadata"]["inferenceId"] for line in lines} == {"i"}


def test_a_request_that_waits_is_answered_in_s3_and_told_to_a_topic_as_the_models_role(cloud: World) -> None:
    bucket = cloud.bucket({"ask": b"1,2"})
    model = cloud.model("echo", "sns:Publish")
    topic = cloud.client("sns").create_topic(Name=name("topic"))["TopicArn"]
    queue = cloud.client("sqs").create_queue(QueueName=name("queue"))["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rsplit('/', 1)[-1]}"
    sender = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [sender]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    outputs = {"S3OutputPath": f"s3://{bucket}/answers", "NotificationConfig": {"SuccessTopic": topic}}
    endpoint = cloud.endpoint(config(cloud, model, AsyncInferenceConfig={"OutputConfig": outputs}))

    answer = cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=f"s3://{bucket}/ask", ContentType="text/csv"
    )

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    key = answer["OutputLocation"].removeprefix(f"s3://{bucket}/")
    until(lambda: key in keys(cloud, bucket))
    assert cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"1,2"
    [message] = until(lambda: cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["invocationStatus"], told["inferenceId"]) == ("Completed", answer["InferenceId"])
