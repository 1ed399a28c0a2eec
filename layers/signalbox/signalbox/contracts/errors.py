"""The error names that are not ours: what machines and `releases.reactions` may name besides the classes of functions.

Sources: Step Functions Developer Guide, "Handling errors in Step Functions workflows" (`States.…`), "Best practices:
handle transient Lambda service exceptions" (`Lambda.…`), and the exceptions of the AWS SDK for Java, by whose names the
integrations tell a service's errors.
"""

# The error with which a person's rejection, or an expiry's, fails the waiting task.
REVIEW_REJECTED = "ReviewRejected"
AWS_ERRORS = frozenset(
    {
        "CloudWatch.CloudWatchException",
        "CloudWatch.SdkClientException",
        "DynamoDB.InternalServerError",
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.RequestLimitExceeded",
        "DynamoDB.SdkClientException",
        "DynamoDB.ThrottlingException",
        "Lambda.AWSLambdaException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.SdkClientException",
        "Lambda.ServiceException",
        "Lambda.TooManyRequestsException",
        "Lambda.Unknown",
        "SageMaker.AmazonSageMakerException",
        "SageMaker.ConflictException",
        "SageMaker.ResourceLimitExceededException",
        "SageMaker.SageMakerException",
        "SageMaker.SdkClientException",
        "Sandbox.Timedout",
        "States.ALL",
        "States.HeartbeatTimeout",
        "States.Timeout",
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.SdkClientException",
    }
)
