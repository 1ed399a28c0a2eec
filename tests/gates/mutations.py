"""Defects to plant in the template and the machines, one of each kind that we know of, and the check that sees it.

The numbers are those of a collection of 45 planted defects. Not planted: T29 (a permissions boundary taken off a role:
our roles have none, the stack makes none) and T38 (no defect). T42 (a library missing in the layer) is planted in
`test_artefacts.py`, since only the built layer shows it. Numbers from H01 on break house rules.
Numbers from A01 on are what AWS would refuse when the stack is made or used.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

type Edit = Callable[[str], str]
TEMPLATE = "template.yaml"
RELEASE = "statemachine/release.asl.json"
MLOPS = "statemachine/mlops.asl.json"
OIDC = "cicd/oidc.yaml"


@dataclass(frozen=True)
class Mutation:
    """A defect: its number, what it is, the check that has to see it, what that check has to speak of, and the edit."""

    id: str
    what: str
    check: str
    speaks_of: str
    edit: Edit
    file: str = TEMPLATE

    def plant(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts with the defect in them."""
        planted = self.edit(texts[self.file])
        if planted == texts[self.file]:
            raise LookupError(f"{self.id}: the template has changed and {self.what!r} cannot be planted any more")
        return {**texts, self.file: planted}


def _swap(old: str, new: str, text: str) -> str:
    return text.replace(old, new, 1)


def swap(old: str, new: str) -> Edit:
    """Return the edit that replaces the first `old`."""
    return partial(_swap, old, new)


def within(name: str, old: str, new: str) -> Edit:
    """Return the edit that replaces the first `old` in the template's entry called `name`."""

    def edit(text: str) -> str:
        entry = re.search(rf"^  {name}:\n(?:    .*\n|\n)+", text, re.MULTILINE)
        return text if entry is None else text[: entry.start()] + _swap(old, new, entry[0]) + text[entry.end() :]

    return edit


def drop(name: str, pattern: str) -> Edit:
    """Return the edit that takes what first fits `pattern` out of the template's entry called `name`."""

    def edit(text: str) -> str:
        entry = re.search(rf"^  {name}:\n(?:    .*\n|\n)+", text, re.MULTILINE)
        if entry is None:
            return text
        less = re.sub(pattern, "", entry[0], count=1, flags=re.MULTILINE)
        return text[: entry.start()] + less + text[entry.end() :]

    return edit


def drop_entry(name: str) -> Edit:
    """Return the edit that takes the template's entry called `name` out."""
    return lambda text: re.sub(rf"^  {name}:\n(?:    .*\n|\n)+", "", text, count=1, flags=re.MULTILINE)


def statement(sid: str) -> str:
    """Return the pattern of the statement with this Sid."""
    return rf"^( +)- Sid: {sid}\n(?:\1  .*\n)+"


# Linted in one run: each is in an entry of its own, by which it is told from the others.
LINTED = (
    Mutation("T02", "GetAtt of what is not there", "lint", "UploadsDeadLettersAlarm", within(
        "UploadsDeadLettersAlarm", "!GetAtt UploadsDeadLetters.QueueName", "!GetAtt UploadsDeadLetters.Name")),
    Mutation("T03", "Ref to nothing", "lint", "RunsDeadLettersAlarm", within(
        "RunsDeadLettersAlarm", "!Ref AlarmsTopic", "!Ref AlarmTopic")),
    Mutation("T04", "a runtime that does not exist", "lint", "SignalboxLayer", within(
        "SignalboxLayer", "CompatibleRuntimes: [python3.13]", "CompatibleRuntimes: [python3.99]")),
    Mutation("T15", "a queue that shows a message again while it is handled", "lint", "RunsQueue", within(
        "RunsQueue", "VisibilityTimeout: 360", "VisibilityTimeout: 5")),
    Mutation("T23", "a key without its attribute", "lint", "ReviewsTable", within(
        "ReviewsTable", "AttributeName: sk, KeyType", "AttributeName: sort, KeyType")),
    Mutation("T24", "a retention that CloudWatch does not offer", "lint", "ApiLog", within(
        "ApiLog", "RetentionInDays: !Ref LogRetentionDays", "RetentionInDays: 31")),
    Mutation("T25", "a variable that Lambda reserves", "lint", "AnnounceFunction", within(
        "AnnounceFunction", "SENDER: !Ref Sender", "AWS_REGION: nowhere")),
    Mutation("T44", "a misspelt response type", "lint", "RecordUploads", within(
        "RecordUploadsFunction", "[ReportBatchItemFailures]", "[ReportBatchItemFailure]")),
)  # fmt: skip

PLANTED = (
    Mutation("T01", "a misspelt property", "load", "CodeUrl", within("AnnounceFunction", "CodeUri", "CodeUrl")),
    Mutation("T26", "a logical id twice", "load", "twice", swap("  RunsQueue:\n", "  UploadsQueue:\n")),
    Mutation("T43", "a route twice", "load", "multiple times", within(
        "ReviewPageFunction", "Method: GET", "Method: POST")),
    Mutation("T05", "a timeout beyond 900 seconds", "posture", "EvaluateModelFunction", within(
        "EvaluateModelFunction", "Timeout: 600", "Timeout: 1000")),
    Mutation("T06", "a misspelt action", "permissions", "RecordUploadsRole", within(
        "RecordUploadsRole", "- dynamodb:PutItem", "- dynamodb:PutItems")),
    Mutation("T07", "an action on a resource of another kind", "permissions", "RecordUploadsRole", within(
        "RecordUploadsRole", "- !GetAtt RunsQueue.Arn", "- !GetAtt UploadsTable.Arn")),
    Mutation("T08", "every action of a service", "written", "dynamodb:*", within(
        "RecordUploadsRole", "- dynamodb:PutItem", "- dynamodb:*")),
    Mutation("T09", "a bucket without the key", "posture", "DataBucket", drop(
        "DataBucket", r"      BucketEncryption:\n(?:        .*\n)+")),
    Mutation("T10", "a pattern with a bare value", "events", "PipelineStatusRule", within(
        "PipelineStatusRule", "source: [aws.sagemaker]", "source: aws.sagemaker")),
    Mutation("T11", "a pattern with an unknown operator", "events", "ModelPackageRule", within(
        "ModelPackageRule", "{prefix:", "{begins-with:")),
    Mutation("T12", "a pattern with a detail type that nobody sends", "events", "ModelPackageRule", within(
        "ModelPackageRule", "SageMaker Model Package State Change", "Sagemaker Model Package State Change")),
    Mutation("T13", "a code folder that is not there", "promises", "AnnounceFunction", within(
        "AnnounceFunction", "functions/announce/", "functions/announcement/")),
    Mutation("T14", "a handler that is not there", "promises", "no function", swap("app.handler", "app.main")),
    Mutation("T16", "a rule's target without a dead-letter queue", "posture", "ModelPackageRule", drop(
        "ModelPackageRule", r"          DeadLetterConfig:.*\n")),
    Mutation("T17", "a key that the account cannot administer", "permissions", "Key", drop(
        "Key", statement("AdministeredByTheAccount"))),
    Mutation("T18", "a key that is never rotated", "posture", "Key", swap(
        "EnableKeyRotation: true", "EnableKeyRotation: false")),
    Mutation("T19", "a substitution without a value", "promises", "ReleaseMachine", drop(
        "ReleaseMachine", r"        VerifyReleaseArn:.*\n")),
    Mutation("T20", "a value that no substitution uses", "promises", "ReleaseMachine", within(
        "ReleaseMachine", "DefinitionSubstitutions:\n", "DefinitionSubstitutions:\n        Spare: spare\n")),
    Mutation("T21", "functions that are not traced", "posture", "traced", swap("    Tracing: Active\n", "")),
    Mutation("T22", "a route for everybody", "posture", "open to everybody", within(
        "InvokeEndpointFunction", "/invocations\n", "/invocations\n            Auth: {Authorizer: NONE}\n")),
    Mutation("T27", "a machine that may not call its functions", "permissions", "MlopsMachineRole", drop(
        "MlopsMachineRole", statement("Functions"))),
    Mutation("T28", "a machine that may pass every role", "posture", "ReleaseMachineRole", within(
        "ReleaseMachineRole", "- !GetAtt ModelRole.Arn", '- "*"')),
    Mutation("T30", "a role for the wrong service", "posture", "JobRole", within(
        "JobRole", "Principal: {Service: sagemaker.", "Principal: {Service: ec2.")),
    Mutation("T31", "a role for everybody", "posture", "AnnounceRole", within(
        "AnnounceRole", "Principal: {Service: lambda.amazonaws.com}", 'Principal: "*"')),
    Mutation("T32", "a bucket for everybody", "posture", "TrailBucket", within(
        "TrailBucketPolicy", "Principal: {Service: cloudtrail.amazonaws.com}", 'Principal: "*"')),
    Mutation("T33", "a queue that takes no events", "permissions", "RunsQueue", drop_entry("RunsQueuePolicy")),
    Mutation("T34", "a bucket that may be made public", "posture", "DataBucket", within(
        "DataBucket", "RestrictPublicBuckets: true", "RestrictPublicBuckets: false")),
    Mutation("T35", "a table without a way back", "posture", "UploadsTable", within(
        "UploadsTable", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false")),
    Mutation("T36", "a machine that logs nothing", "posture", "MlopsMachine", within(
        "MlopsMachine", "Level: ALL", 'Level: "OFF"')),
    Mutation("T37", "a misspelt condition key", "permissions", "PipelineRole", within(
        "PipelineRole", '"iam:PassedToService"', '"iam:PassedToServices"')),
    Mutation("T39", "an API without an access log", "posture", "access log", drop(
        "Api", r"      AccessLogSettings:\n(?:        .*\n)+")),
    Mutation("T40", "a transition to nowhere", "machines", "MlopsMachine", swap(
        '"Next": "CreateModelPackageGroup"', '"Next": "CreatePackageGroup"'), MLOPS),
    Mutation("T41", "a machine that asks for a value that nobody gives", "promises", "ReleaseMachine", swap(
        "${AnnounceArn}", "${AnnouncementArn}"), RELEASE),
    Mutation("T45", "a key that the rules may not use", "permissions", "events.amazonaws.com", drop(
        "Key", statement("EncryptedForQueuesAndAlarms"))),
    Mutation("H01", "a task that may run for ever", "machines", "MlopsMachine.CreateModel", lambda text: re.sub(
        r'("CreateModel": \{(?:.*\n)*?)\s+"TimeoutSeconds": 60,', r"\1", text, count=1), MLOPS),
    Mutation("H02", "an operation that SageMaker does not have", "machines", "DeleteConfig", swap(
        "sagemaker:deleteEndpointConfig", "sagemaker:deleteEndpointConfiguration"), RELEASE),
    Mutation("H03", "a parameter that the operation does not have", "machines", "StopTrainingJob", swap(
        '{"TrainingJobName": "{% $plan.names.training %}"}', '{"JobName": "{% $plan.names.training %}"}'), MLOPS),
    Mutation("H04", "a person who is asked without a token", "machines", "RequestReview", swap(
        "$states.context.Task.Token", "$states.context.Task.Id"), MLOPS),
    Mutation("H05", "an asynchronous function whose failures vanish", "posture", "OnModelPackageFunction", drop(
        "OnModelPackageFunction", r"      EventInvokeConfig:\n(?:        .*\n)+")),
    Mutation("H06", "a dead-letter queue that nobody watches", "posture", "EventsDeadLetters", drop_entry(
        "EventsDeadLettersAlarm")),
    Mutation("H33", "a queue whose messages wait unseen", "alarms", "UploadsQueue", drop_entry("UploadsQueueAgeAlarm")),
    Mutation("H31", "an alarm on what no function measures", "alarms", "UploadsWaitingAlarm", within(
        "UploadsWaitingAlarm", "MetricName: UploadsWaiting", "MetricName: UploadsWait")),
    Mutation("H32", "an alarm on another stack's measurements", "alarms", "UploadsWaitingAlarm", within(
        "UploadsWaitingAlarm", "Value: !Ref NamePrefix", "Value: signalbox")),
    Mutation("H07", "a rule's target without a retry policy", "posture", "PipelineStatusRule", drop(
        "PipelineStatusRule", r"          RetryPolicy:.*\n")),
    Mutation("H08", "a log that is kept for ever", "posture", "ReviewPageLog", drop(
        "ReviewPageLog", r"      RetentionInDays:.*\n")),
    Mutation("H09", "a function with a log group that nobody made", "posture", "ReviewPageFunction", drop(
        "ReviewPageFunction", r"      LoggingConfig:.*\n")),
    Mutation("H10", "a bucket that may be used without TLS", "posture", "ArtifactsBucket", drop(
        "ArtifactsBucketPolicy", r"            Condition:.*\n")),
    Mutation("H11", "a wildcard without a reason", "written", "without a reason", within(
        "FunctionPolicy", '"*"  # X-Ray has no resources to name', '"*"')),
    Mutation("H12", "a partition that is written out", "written", "partition", swap(
        '"arn:${AWS::Partition}:ssm:', '"arn:aws:ssm:')),
    Mutation("H13", "a parameter that fails without a sentence", "written", "Sender", drop(
        "Sender", r"    ConstraintDescription:.*\n")),
    Mutation("H14", "an output that nobody explains", "written", "ReviewUrl", drop(
        "ReviewUrl", r"    Description:.*\n")),
    Mutation("H15", "a permission that nothing uses", "permissions", "CloseReviewRole", within(
        "CloseReviewRole", "- dynamodb:GetItem\n", "- dynamodb:GetItem\n                  - dynamodb:Scan\n")),
    Mutation("H16", "a permission for every stack's endpoints", "permissions", "InvokeEndpointRole", within(
        "InvokeEndpointRole", ":endpoint/${NamePrefix}-*", ":endpoint/*")),
    Mutation("H24", "a permission for what the stack's name begins", "prefix", "InvokeEndpointRole", within(
        "InvokeEndpointRole", ":endpoint/${NamePrefix}-*", ":endpoint/${AWS::StackName}-*")),
    Mutation("H25", "an API that SAM names after the stack", "prefix", "Api.", drop("Api", r"      Name:.*\n")),
    Mutation("H26", "a stack's name that is no prefix", "prefix", "NamePrefix", within(
        "NamePrefix", "(-?[a-z0-9])", "(-?[a-zA-Z0-9])")),
    Mutation("H27", "a function whose log stays empty", "permissions", "CloseReviewRole", drop(
        "CloseReviewRole", r"      ManagedPolicyArns:\n        - !Ref FunctionPolicy\n")),
    Mutation("H29", "a policy of AWS that nobody here reads", "posture", "AnnounceRole", within(
        "AnnounceRole", "!Ref FunctionPolicy", '!Sub "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"')),
    Mutation("H30", "a line that no window shows to its end", "written", "more than 120", within(
        "AnnounceFunction", "Description: Mails how", f"Description: Mails {'in every case ' * 9}how")),
    Mutation("H28", "a function that may write the logs of other stacks", "permissions", "AnnounceRole", within(
        "FunctionPolicy", "/aws/lambda/${NamePrefix}/*", "/aws/lambda/*")),
    Mutation("A01", "a trail that may not use its bucket's key", "permissions", "cloudtrail.amazonaws.com", drop(
        "Key", r"              - kms:Decrypt  # CloudTrail.*\n")),
    Mutation("A02", "browser uploads that start nothing", "events", "misses s3/post-object", within(
        "UploadsTrailRule", "PutObject, PostObject,", "PutObject,")),
    Mutation("A21", "browser uploads that no trail records", "events", "does not record s3/post-object", within(
        "UploadsTrail", "PutObject, PostObject,", "PutObject,")),
    Mutation("A03", "a machine that one partition takes only", "written", "partition", swap(
        "arn:${Partition}:states:::", "arn:aws:states:::"), MLOPS),
    Mutation("A04", "a pipeline that may not register in its group", "grants", "CreateModelPackage", drop(
        "PipelineRole", statement("RegisteringInGroups"))),
    Mutation("A05", "a model of a package that a release may not make", "grants", "CreateModel", drop(
        "ReleaseMachineRole", statement("ModelsOfPackages"))),
    Mutation("A06", "a list of packages that only a rollback asks for", "grants", "ListModelPackages", within(
        "PlanReleaseRole", "model-package-group/${NamePrefix}-*", "model-package/${NamePrefix}-b*")),
    Mutation("A07", "a machine that may not list the tags of its job", "permissions", "MlopsMachineRole", within(
        "MlopsMachineRole", "                  - sagemaker:ListTags\n", "")),
    Mutation("A08", "a machine that may not look at what it registers", "permissions", "MlopsMachineRole", drop(
        "MlopsMachineRole", statement("LookUpImages"))),
    Mutation("A09", "a public route that shares the throttle of the others", "posture", "POST /reviews/{review}", drop(
        "Api", r"        POST /reviews/.*\n")),
    Mutation("A10", "a public route that may take every execution", "posture", "concurrency", within(
        "Api", "GET /reviews/{review}: {ThrottlingBurstLimit: 10", "GET /reviews/{review}: {ThrottlingBurstLimit: 50")),
    Mutation("A11", "a public function that others can starve", "posture", "ReviewPageFunction", drop(
        "ReviewPageFunction", r"      ReservedConcurrentExecutions:.*\n")),
    Mutation("A12", "mails that may not go out under their settings", "permissions", "AnnounceRole", drop(
        "AnnounceRole", r".*configuration-set.*\n")),
    Mutation("C01", "a field of the plan that no plan has", "contracts", "$plan.memory", swap(
        "$plan.progress", "$plan.memory"), RELEASE),
    Mutation("C02", "a payload key that the function does not know", "contracts", "'begun'", swap(
        '"started":', '"begun":'), RELEASE),
    Mutation("C03", "an error that nobody raises", "contracts", "ServiceBusy, which nobody raises", swap(
        '"ServiceBusyError"', '"ServiceBusy"'), RELEASE),
    Mutation("C04", "an action that no plan names", "contracts", "'closing-review'", swap(
        "'close-review'", "'closing-review'"), RELEASE),
    Mutation("C05", "an action of plans that no choice knows", "contracts", "'delete-alarm'", swap(
        """        {"Condition": "{% $plan.action = 'delete-alarm' %}", "Next": "DeleteAlarm"},\n""", ""), RELEASE),
    Mutation("C06", "an argument that the action does not have", "contracts", "$plan.arguments.minutes", swap(
        "$plan.arguments.seconds", "$plan.arguments.minutes"), RELEASE),
    Mutation("C07", "the arguments of one action for another's function", "contracts", "Verify", swap(
        '"{% $plan.action = \'close-review\' %}", "Next": "CloseReview"',
        '"{% $plan.action = \'close-review\' %}", "Next": "Verify"'), RELEASE),
    Mutation("C08", "a payload without a key that the function needs", "contracts", "no 'execution_arn'", swap(
        '          "execution_arn": "{% $states.context.Execution.Id %}",\n', ""), MLOPS),
    Mutation("C09", "a known error that nobody names", "contracts", "StepFunctions.ExecutionLimitExceeded", swap(
        '            "StepFunctions.ExecutionLimitExceededException",\n', ""), MLOPS),
    Mutation("C10", "a field of the training's plan that it does not have", "contracts", "$plan.requests.modell", swap(
        "$plan.requests.model ", "$plan.requests.modell "), MLOPS),
    Mutation("H17", "a setting that the function does not get", "promises", "POLL_SECONDS", drop(
        "StartRunFunction", r"          POLL_SECONDS:.*\n")),
    Mutation("H18", "jobs on behalf of other accounts", "posture", "ModelRole", drop(
        "ModelRole", r"            Condition:.*\n")),
    Mutation("H23", "a queue whose messages come back too early", "posture", "StartRun", within(
        "StartRunFunction", "Timeout: 60", "Timeout: 90")),
    Mutation("H20", "a default that its own pattern refuses", "written", "UploadPrefix", within(
        "UploadPrefix", "Default: incoming/", "Default: incoming")),
    Mutation("H21", "the links of reviews in the access log", "posture", "links of reviews", within(
        "Api", "$context.routeKey", "$context.path")),
    Mutation("H22", "a failed run that nobody is told of", "events", "PipelineStatusRule", within(
        "PipelineStatusRule", "[Succeeded, Failed, Stopped,", "[Succeeded, Stopped,")),
    Mutation("P01", "a project that is removed unheard", "events", "misses ssm/project-deleted", within(
        "ProjectsRule", "[Create, Update, Delete]", "[Create, Update]")),
    Mutation("P02", "runs that hear of projects of other stacks", "events", "project-of-another-stack", within(
        "ProjectsRule", "/${NamePrefix}/projects/", "/${NamePrefix}")),
    Mutation("P03", "what builds publish, unheard", "events", "misses ssm/published-updated", within(
        "PublishedRule", "[Create, Update]", "[Create]")),
    Mutation("P06", "a grant that changes unheard", "events", "misses ssm/grant-updated", within(
        "ProjectsRule", ', {prefix: !Sub "/${NamePrefix}/grants/"}', "")),
    Mutation("P07", "functions that may not read what was granted", "permissions", "RecordUploadsRole", within(
        "RecordUploadsRole", "parameter/${NamePrefix}/grants", "parameter/${NamePrefix}/granted")),
    Mutation("P08", "models whose grant nobody may read", "permissions", "PlanTrainingRole", within(
        "ModelDocumentsPolicy", "parameter/${NamePrefix}/grants", "parameter/${NamePrefix}/granted")),
    Mutation("P04", "builds that one project starts for every repository", "permissions", "OnCodePushRole", within(
        "OnCodePushRole", "project/${NamePrefix}-*", "project/*")),
    Mutation("P05", "a branch that takes main's pipelines with it", "permissions", "OnCodePushRole", within(
        "OnCodePushRole", "pipeline/${NamePrefix}-*--*--*\"", "pipeline/${NamePrefix}-*\"")),
    Mutation("W01", "webhooks that share the throttle of the others", "posture", "POST /hooks/{project}", drop(
        "Api", r"        POST /hooks/.*\n")),
    Mutation("W02", "webhooks that open every secret", "permissions", "ReceiveHookRole", within(
        "ReceiveHookRole", "secret:${NamePrefix}/hooks/*", "secret:*")),
    Mutation("W03", "webhooks that write what is known of branches", "permissions", "ReceiveHookRole", drop(
        "ReceiveHookRole", r"                Condition:.*dynamodb:LeadingKeys.*\n")),
    Mutation("W04", "webhooks that take every execution", "posture", "ReceiveHookFunction", drop(
        "ReceiveHookFunction", r"      ReservedConcurrentExecutions:.*\n")),
    Mutation("F01", "packages that are still being made", "events", "model-package-in-progress", within(
        "ModelPackageRule", "          ModelPackageStatus: [Completed]\n", "")),
    Mutation("F02", "new packages whose event has null for the changed fields", "events", "null-fields", within(
        "ModelPackageRule", "            - {UpdatedModelPackageFields: [null]}\n", "")),
    Mutation("S01", "a machine that is stopped by hand and raises no alarm", "posture", "ExecutionsAborted", drop_entry(
        "ReleaseMachineStoppedAlarm")),
    Mutation("S02", "a stopped execution that nobody is told of", "events", "states/release-stopped", within(
        "ExecutionStoppedRule", "[ABORTED, TIMED_OUT]", "[TIMED_OUT]")),
    Mutation("S03", "a mail that bounces and nobody knows", "posture", "alarm on a bounce", drop_entry(
        "MailBouncedAlarm")),
    Mutation("S04", "bounces that are counted under a tag which no mail has", "posture", "alarm on a bounce", within(
        "MailEvents", "DimensionName: mails", "DimensionName: mail")),
    Mutation("S05", "mails that may not be sent under their configuration set", "permissions", "AnnounceRole", drop(
        "AnnounceRole", r".*configuration-set.*\n")),
    Mutation("A13", "models from any account's images", "permissions", "PinModelRole", drop(
        "PinModelRole", r"                Condition:\n.*aws:ResourceAccount.*\n")),
    Mutation("A14", "an account of AWS's images that is left out", "permissions", "MlopsMachineRole", within(
        "ImageAccounts", "683313688378,", "")),
    Mutation("A15", "answers of a test that any job may write", "permissions", "JobRole", within(
        "JobRole", '- !Sub "${ArtifactsBucket.Arn}/training/*"', '- !Sub "${ArtifactsBucket.Arn}/t*"')),
    Mutation("A16", "a model that is tested as any job", "permissions", "MlopsMachineRole", drop(
        "MlopsMachineRole", r"                  - !GetAtt TestRole.Arn\n")),
    Mutation("A17", "a pipeline that may register what is approved at once", "permissions", "PipelineRole", drop(
        "PipelineRole", r"                Condition:.*sagemaker:ModelApprovalStatus.*\n")),
    Mutation("A18", "a machine that may register what is approved at once", "permissions", "MlopsMachineRole", drop(
        "MlopsMachineRole", r"                Condition:.*StringEqualsIfExists.*sagemaker:ModelApprovalStatus.*\n")),
    Mutation("A19", "a machine that may approve what it has tested", "permissions", "MlopsMachineRole", drop(
        "MlopsMachineRole", r'                Condition:.*"Null".*sagemaker:ModelApprovalStatus.*\n')),
    Mutation("A20", "a served model that may read what models learn from", "permissions", "ModelRole", within(
        "ModelRole", '                Resource: !Sub "${ArtifactsBucket.Arn}/packages/*"\n',
        '                Resource:\n                  - !Sub "${ArtifactsBucket.Arn}/packages/*"\n'
        '                  - !Sub "${DataBucket.Arn}/*"\n')),
    Mutation("F03", "a slow start that ends a training", "retries", "PlanTraining: is not tried again", swap(
        '            "Sandbox.Timedout",\n', ""), MLOPS),
    Mutation("F04", "an evaluation that its own timeout ends", "retries", "EvaluateModel: is not tried", lambda text:
        re.sub(r'("EvaluateModel": \{(?:.*\n)*?.*"ServiceBusyError"),\n\s+"States.Timeout"', r"\1", text), MLOPS),
    Mutation("F05", "an approval whose release cannot start now", "retries", "Release: is not tried again", swap(
        '            "StepFunctions.ExecutionLimitExceeded",\n', ""), MLOPS),
    Mutation("F06", "a plan that is asked for only once more", "retries", "Plan: is not tried again", swap(
        '"MaxAttempts": 6', '"MaxAttempts": 1'), RELEASE),
    Mutation("F07", "a broken plan that nobody hears of when AWS is busy", "retries", "AnnounceFailure", lambda text:
        re.sub(r'("AnnounceFailure": \{(?:.*\n)*?)      "Retry": (?:.*\n)*?      \],\n', r"\1", text), RELEASE),
    Mutation("H19", "uploads that were refused start runs", "events", "UploadsTrailRule", drop(
        "UploadsTrailRule", r"          errorCode:.*\n")),
    Mutation("O01", "the CI of any repository of an owner", "oidc", "owner/other:ref:refs/heads/main", swap(
        "repo:${Repository}:ref", "repo:owner/*:ref"), OIDC),
    Mutation("O02", "pull requests that deploy", "oidc", "owner/name:pull_request", swap(
        ":ref:refs/heads/${Branch}", ":*"), OIDC),
    Mutation("O03", "a repository with a wildcard in it", "oidc", "Repository: takes 'owner/*'", swap(
        "(/[A-Za-z0-9._@-]+)+", "(/[A-Za-z0-9._@*-]+)+"), OIDC),
    Mutation("O04", "tokens for anybody", "oidc", "for elsewhere", swap(
        '"StringEquals": {"${From}:aud": "${Audience}"},\n', ""), OIDC),
    Mutation("O05", "tags of GitLab that deploy", "oidc", "ref_type:tag:ref:main", swap(
        "${Repository}:ref_type:branch:ref:", "${Repository}:ref_type:*:ref:"), OIDC),
    Mutation("O06", "a CI that may do everything", "oidc", "other rights", swap(
        "        - !Ref DeployPolicyArn\n",
        '        - !Ref DeployPolicyArn\n'
        '        - !Sub "arn:${AWS::Partition}:iam::aws:policy/PowerUserAccess"\n'), OIDC),
)  # fmt: skip

PROJECT = "cicd/project.yaml"
# Of a project's automation, each seen by a check of `test_automations.py`.
AUTOMATION = (
    Mutation("B01", "code that goes with the stack", "builds", "CodeRepository", within(
        "CodeRepository", "DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Delete"), PROJECT),
    Mutation("B02", "images whose tags move", "builds", "ImageRepository", within(
        "ImageRepository", "ImageTagMutability: IMMUTABLE", "ImageTagMutability: MUTABLE"), PROJECT),
    Mutation("B03", "privileged builds without a reason", "builds", "line privileged without a reason", within(
        "Build", "PrivilegedMode: true  # the build builds images, and Docker's own server needs it",
        "PrivilegedMode: true"), PROJECT),
    Mutation("B04", "builds whose log is kept for ever", "posture", "BuildLog", drop(
        "BuildLog", r"      RetentionInDays:.*\n"), PROJECT),
    Mutation("B05", "builds on behalf of another account", "posture", "BuildRole", drop(
        "BuildRole", r"            Condition:\n(?:              .*\n)+"), PROJECT),
    Mutation("B06", "pushes that are lost when the queue is", "posture", "PushRule", drop(
        "PushRule", r"          DeadLetterConfig:.*\n"), PROJECT),
    Mutation("B07", "roles without a boundary", "builds", "BuildRole iam:CreateRole", drop(
        "DeployPolicy", r'            Condition: \{StringEquals: \{"iam:PermissionsBoundary".*\n'), PROJECT),
    Mutation("B08", "any policy for the roles that a build makes", "builds", "BuildRole iam:AttachRolePolicy", drop(
        "DeployPolicy", r'              ArnEquals:.*\n'), PROJECT),
    Mutation("B09", "a build that may pass the stack's roles", "builds", "BuildRole iam:PassRole", within(
        "DeployPolicy", "- iam:PassRole\n            Resource: !Sub ",
        '- iam:PassRole\n            Resource: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*" #'), PROJECT),
    Mutation("B10", "a build that may deploy every project", "builds", "BuildRole cloudformation:CreateStack", within(
        "DeployPolicy", "stack/${Prefix}-project-${Project}/*", "stack/${Prefix}-project-*"), PROJECT),
    Mutation("B11", "a build that may write every project's code", "builds", "BuildRole s3:PutObject", within(
        "DeployPolicy", "/code/${Project}/*", "/code/*"), PROJECT),
    Mutation("B12", "a build that may take the boundary off", "builds", "BuildRole iam:DeleteRolePermission", within(
        "DeployPolicy", "              - iam:DeleteRole\n",
        "              - iam:DeleteRole\n              - iam:DeleteRolePermissionsBoundary\n"), PROJECT),
    Mutation("B13", "a branch that may change the main pipelines", "builds", "BranchesRole sagemaker:Update", within(
        "BranchesPolicy", "pipeline/${Prefix}-${Project}--*--*", "pipeline/${Prefix}-${Project}*"), PROJECT),
    Mutation("B14", "a boundary that lets other projects in", "builds", "Boundary s3:GetObject", within(
        "Boundary", "/pipelines/${Project}/*\"", "/pipelines/*\""), PROJECT),
    Mutation("B15", "a boundary that cuts what jobs need", "builds", "Boundary kms:GenerateDataKey", drop(
        "Boundary", r"              - kms:GenerateDataKey\n"), PROJECT),
    Mutation("B16", "packages that a pipeline may approve", "builds", "Boundary sagemaker:CreateModelPackage", drop(
        "Boundary", r"            Condition:.*sagemaker:ModelApprovalStatus.*\n"), PROJECT),
    Mutation("B17", "a build that may replace the command line of all", "builds", "BuildRole s3:PutObject", within(
        "SourcesPolicy", "              - s3:GetObject\n",
        "              - s3:PutObject\n              - s3:GetObject\n"), PROJECT),
    Mutation("B18", "a right that nothing uses", "builds", "DeployPolicy is granted sagemaker:DeleteEndpoint", within(
        "DeployPolicy", "              - sagemaker:DeletePipeline\n",
        "              - sagemaker:DeletePipeline\n              - sagemaker:DeleteEndpoint\n"), PROJECT),
    Mutation("B19", "a build that reads the uploads of other projects", "builds", "BuildRole dynamodb:Query", within(
        "DeployPolicy", 'waiting#${Prefix}-${Project}--*', 'waiting#*'), PROJECT),
    Mutation("B20", "a resource that does not say whose it is", "builds", "BuildLog", drop(
        "BuildLog", r"      Tags:.*\n"), PROJECT),
    Mutation("B21", "builds that another repository's events could start", "lint", "PushRule", within(
        "PushRule", "      EventPattern:\n", "      EventPatterns:\n"), PROJECT),
    Mutation("B22", "a build that grants itself what it claims", "builds", "BuildRole ssm:PutParameter", within(
        "DeployPolicy", "            Resource: !Ref Documents\n", "            Resource: !Sub "
        '"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${Prefix}/*"\n'), PROJECT),
    Mutation("B23", "a grant that goes before what builds may do", "builds", "Boundary is there before the grant", drop(
        "Boundary", r"    DependsOn: Grant\n"), PROJECT),
    Mutation("W05", "webhooks signed with what another key encrypts", "builds", "HookSecret", drop(
        "HookSecret", r"      KmsKeyId:.*\n"), PROJECT),
    Mutation("W06", "webhooks signed with what can be guessed", "builds", "HookSecret", within(
        "HookSecret", "PasswordLength: 64", "PasswordLength: 8"), PROJECT),
)  # fmt: skip
