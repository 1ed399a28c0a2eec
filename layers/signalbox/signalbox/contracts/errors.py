"""The error names that are not ours: what machines and `releases.reactions` may name besides the classes of functions.

Sources: Step Functions Developer Guide, "Handling errors in Step Functions workflows" (`States.…`), "Best practices:
handle transient Lambda service exceptions" (`Lambda.…`), and the exceptions of the AWS SDK for Java, by whose names the
integrations tell a service's errors. The optimised integrations have names of the SDK's version 1
(`DynamoDB.AmazonDynamoDBException`, attested in public definitions), where the guide writes those of the API
(`StepFunctions.ExecutionLimitExceeded`): both spellings are listed, since one that never comes costs nothing.

What passes by itself stands in the groups below, once; a gate holds each task of both machines against its group.
"""

# The error with which a person's rejection, or an expiry's, fails the waiting task.
REVIEW_REJECTED = "ReviewRejected"
# Never reached the function, or died in it by no fault of the function's: a slow start is among them.
LAMBDA = frozenset(
    {
        "Lambda.AWSLambdaException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.SdkClientException",
        "Lambda.ServiceException",
        "Lambda.TooManyRequestsException",
        "Lambda.Unknown",
        "Sandbox.Timedout",
    }
)
# What a function itself calls passing: `aws.errors.ServiceBusyError`.
BUSY = "ServiceBusyError"
TIMEOUT = "States.Timeout"
DYNAMODB = frozenset(
    {
        "DynamoDB.AmazonDynamoDBException",
        "DynamoDB.InternalServerError",
        "DynamoDB.InternalServerErrorException",
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.RequestLimitExceeded",
        "DynamoDB.RequestLimitExceededException",
        "DynamoDB.SdkClientException",
        "DynamoDB.ThrottlingException",
    }
)
STEP_FUNCTIONS = frozenset(
    {
        "StepFunctions.AWSStepFunctionsException",
        "StepFunctions.ExecutionLimitExceeded",
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.SdkClientException",
    }
)
_OTHERS = frozenset(
    {
        "CloudWatch.CloudWatchException",
        "CloudWatch.SdkClientException",
        "SageMaker.AmazonSageMakerException",
        "SageMaker.ConflictException",
        "SageMaker.ResourceLimitExceededException",
        "SageMaker.SageMakerException",
        "SageMaker.SdkClientException",
        "States.ALL",
        "States.HeartbeatTimeout",
    }
)
AWS_ERRORS = LAMBDA | DYNAMODB | STEP_FUNCTIONS | _OTHERS | {TIMEOUT}
