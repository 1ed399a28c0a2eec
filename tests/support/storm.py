"""A storm over the upload journey: its real functions, with an AWS in memory, in a time that only the storm moves.

S3, DynamoDB and the parameter store are moto's; queues, executions and mails are here, because their delays, their
tokens and their repetitions are what a storm is about. Every call to AWS is made by the functions' own clients, and may
meet a strike: the function dies before it, or after it, or its answer is lost, or it is made twice by the library.
"""

import copy
import heapq
import importlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from threading import Lock, local
from typing import Any, Literal

import boto3
import botocore.client
import pytest
from botocore.exceptions import ReadTimeoutError

from signalbox import moments, projects
from signalbox.aws import clients
from signalbox.projects import Project, ProjectPipeline, ProjectUploads
from signalbox.uploads import rules
from signalbox.uploads.model import ReportUnderWayError
from tests.support.botocore_strict import client_error
from tests.support.dynamodb import created_table
from tests.support.samples import lambda_context, sample, sqs_event, with_detail
from tests.support.uploads import ARTIFACTS, BUCKET, EXECUTION, PIPELINE, Clock

type Strike = Literal["dies before", "dies after", "loses the answer", "is made twice"]
STRIKES: tuple[Strike, ...] = ("dies before", "dies after", "loses the answer", "is made twice")
FUNCTIONS = ("record_uploads", "start_run", "report_run")
QUIET, LONGEST, POLL = 10, 3_600, 10
TABLE = "uploads"
RUNS_URL, DEAD_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/runs.fifo", "https://sqs/dead"
MOST_RECEIVES = 5  # template.yaml, the redrive policies
MOST_REPORTS = 3  # Lambda's own tries of an asynchronous call
# template.yaml: for how many seconds a message is hidden that a function has taken.
VISIBILITY = {"record_uploads": 180, "start_run": 360}
MOTO = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
_SETTINGS = {
    "UPLOADS_TABLE": TABLE,
    "RUNS_QUEUE_URL": RUNS_URL,
    "DEAD_LETTERS_URL": DEAD_URL,
    "ARTIFACTS_BUCKET": ARTIFACTS,
    "SENDER": "models@example.com",
    "REPLY_TO": "models@example.com",
    "MAIL_SETTINGS": "untracked",
    "APPROVERS": "ann@example.com",
    "PREFIX": "signalbox",
    "DEFAULT_MODEL": "abalone",
}


class KilledError(BaseException):
    """The function's process is gone. No `except Exception` of the function sees it."""


@dataclass
class Message:
    """A message of a queue: hidden until `visible_at`, taken `receives` times."""

    body: str
    visible_at: datetime
    group: str | None = None
    receives: int = 0


class InTurn:
    """Strikes each call of each function in turn: first its first call, then the second of an invocation that has two.

    A message is struck once at most, since the queue gives up one that has come five times.
    """

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
        self._made = 0
        self._spared = False
        self.struck = Counter[str]()

    def begin(self, *, again: bool) -> None:
        """A function is invoked, perhaps again with what it had before."""
        self._made, self._spared = 0, again

    def fate(self, function: str) -> Strike | None:
        """Return what happens to the next call."""
        self._made += 1
        if self._spared or self._made != self.struck[function] + 1:
            return None
        self.struck[function] += 1
        return self._strike


class Calm:
    """No strike."""

    def begin(self, *, again: bool) -> None:
        """A function is invoked."""

    def fate(self, function: str) -> Strike | None:
        """Return that nothing happens."""


@dataclass
class Executions:
    """Pipeline executions, one for each token; each takes `seconds`, and fails where `fails` says so of its keys."""

    clock: Clock
    seconds: int = 10
    fails: Callable[[list[str]], bool] = lambda _: False
    by_token: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    most_at_once: int = 0

    def start(self, request: Mapping[str, Any]) -> str:
        """Start one, or find the one of the token."""
        token = request["ClientRequestToken"]
        if token not in self.by_token:
            (parameter,) = request["PipelineParameters"]
            key = parameter["Value"].removeprefix(f"s3://{ARTIFACTS}/")
            manifest = json.loads(boto3.client("s3").get_object(Bucket=ARTIFACTS, Key=key)["Body"].read())
            arn = self.by_token[token] = f"{EXECUTION}{len(self.by_token):012d}"
            self.keys[arn], self.states[arn] = manifest[1:], "Executing"
            self.most_at_once = max(self.most_at_once, len(self.running))
        return self.by_token[token]

    @property
    def running(self) -> list[str]:
        """Return those that are not over."""
        return [arn for arn, status in self.states.items() if status == "Executing"]

    @property
    def failed(self) -> int:
        """Return how many have failed."""
        return Counter(self.states.values())["Failed"]

    def end(self, arn: str) -> None:
        """Let one end as its keys say."""
        self.states[arn] = "Failed" if self.fails(self.keys[arn]) else "Succeeded"


class Storm:
    """The journey, and what happens to it and when."""

    def __init__(self, strikes: InTurn | Calm, seed: int = 1, poll: int = POLL) -> None:
        self.clock = Clock()
        self.poll_seconds = poll
        self.chance = random.Random(seed)  # noqa: S311  # no secret
        self.executions = Executions(self.clock)
        self.calls = Counter[str]()
        self.invocations = Counter[str]()
        self.written = 0  # write units of the table, each item being of at most 1 KB
        self.mails: list[Any] = []
        self.letters: list[Mapping[str, Any]] = []
        self.gave_up: list[Message] = []
        self.failures = 0  # messages that came back though nothing was struck
        self.struck = False
        self._killed = False
        self._counting = Lock()
        self._inside = local()  # of a thread: whether it is on AWS's side of a call
        self._strikes = strikes
        self._function: str | None = None
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = count()
        self._queues: dict[str, list[Message]] = {"record_uploads": [], "start_run": []}
        self._accepted: dict[str, datetime] = {}

    # ---- what happens --------------------------------------------------------------------------------------------

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen in so many seconds."""
        moment = self.clock() + timedelta(seconds=seconds)
        heapq.heappush(self._agenda, (moment, next(self._number), action))

    def upload(self, key: str, times: int = 5, late: float = LONGEST, content: bytes = b"9,M,0.455\n") -> None:
        """Put an object; each event about it comes so many times, in any shape, up to so many seconds late."""
        version = boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]
        native = sample("s3/object-created")
        shapes = [
            with_detail(native, object=native["detail"]["object"] | {"key": key, "version-id": version}),
            with_detail(
                sample("s3/put-object-cloudtrail"),
                requestParameters__key=key,
                responseElements={"x-amz-version-id": version},
            ),
            with_detail(sample("s3/put-object-without-version-cloudtrail"), requestParameters__key=key),
        ]
        for _ in range(times):
            event = json.dumps(self.chance.choice(shapes))
            self.at(self.chance.uniform(0, late), lambda event=event: self.send("record_uploads", event))  # type: ignore[misc]

    def send(self, function: str, body: str, delay: float = 0, group: str | None = None) -> None:
        """Send a message to the queue of a function."""
        self._queues[function].append(Message(body, self.clock() + timedelta(seconds=delay), group))
        self.at(delay, lambda: self._poll(function))

    def ask_for_a_run(self) -> None:
        """Ask for a run, as whoever lets uploads wait again does."""
        request = json.dumps({"kind": rules.RUN_REQUESTED, "pipeline": PIPELINE})
        self.send("start_run", request, self.poll_seconds, PIPELINE)

    def settle(self, most: int = 20_000) -> None:
        """Let everything happen that is due, until nothing is."""
        for _ in range(most):
            if not self._agenda:
                return
            moment, _, action = heapq.heappop(self._agenda)
            self.clock.now = max(self.clock.now, moment)
            action()
        raise AssertionError("the storm never ends")

    # ---- Lambda and its pollers ----------------------------------------------------------------------------------

    def _poll(self, function: str) -> None:
        """Let Lambda's poller take up to ten messages, in a FIFO queue of one group and in their order."""
        taken = self._visible(function)[:10]
        if not taken:
            return
        for message in taken:
            message.receives += 1
            message.visible_at = self.clock() + timedelta(seconds=VISIBILITY[function])
        again = any(message.receives > 1 for message in taken)
        event = sqs_event(*(message.body for message in taken), group=taken[0].group)
        answer = self.invoke(function, event, again=again)
        failed = range(len(taken)) if answer is None else sorted(_failed(answer))
        self.failures += 0 if self.struck else len(failed)
        for index, message in enumerate(taken):
            if index in failed and message.receives < MOST_RECEIVES:
                self.at(VISIBILITY[function], lambda: self._poll(function))
                continue
            self._queues[function].remove(message)
            self.gave_up += [message] if index in failed else []
        self.at(0, lambda: self._poll(function))

    def _visible(self, function: str) -> list[Message]:
        blocked, visible = set[str](), list[Message]()
        for message in self._queues[function]:
            if message.group is not None and message.group in blocked:
                continue
            if message.visible_at <= self.clock() and (not visible or visible[0].group == message.group):
                visible.append(message)
            elif message.receives and message.group is not None:
                blocked.add(message.group)
        return visible

    def invoke(self, function: str, event: Mapping[str, Any], *, again: bool) -> Mapping[str, Any] | None:
        """Return what a function answers; None if it dies or fails, and with it all that it had in its memory."""
        self._function, self.struck, self._killed = function, False, False
        self.invocations[function] += 1
        self._strikes.begin(again=again)
        handler = importlib.import_module(f"functions.{function}.app").handler
        try:
            answer: Mapping[str, Any] = handler(event, lambda_context())
        except KilledError:
            _forget_ports()
            return None
        except ReportUnderWayError:
            return None  # another has the mail in hand, and perhaps died with it
        except Exception:
            if not self.struck:
                raise
            return None
        finally:
            self._function = None
        return answer

    def _report(self, event: Mapping[str, Any], tries: int = MOST_REPORTS) -> None:
        """Let EventBridge tell `report_run`, which Lambda invokes twice more where it fails."""
        if self.invoke("report_run", event, again=tries < MOST_REPORTS) is not None:
            return
        if tries == 1:
            self.gave_up.append(Message(json.dumps(event), self.clock()))
        else:
            self.at(60, lambda: self._report(event, tries - 1))

    # ---- AWS ------------------------------------------------------------------------------------------------------

    def call(self, original: Callable[..., Any], client: Any, operation: str, request: dict[str, Any]) -> Any:
        """Answer a call of a function, unless it meets a strike; other calls are the test's own."""
        if self._function is None or getattr(self._inside, "aws", False):
            return original(client, operation, request)
        with self._counting:
            if self._killed:  # so are all threads of a process
                raise KilledError
            self.calls[operation] += 1
            self.written += _units(operation, request)
            fate = self._strikes.fate(self._function)
            self.struck = self.struck or fate is not None
            self._killed = fate in ("dies before", "dies after")
        if fate == "dies before":
            raise KilledError
        # A transaction that the library repeats has the same token, so DynamoDB answers it without doing it again.
        if fate == "is made twice" and operation != "TransactWriteItems":
            self._answer(original, client, operation, copy.deepcopy(request))
        answer = self._answer(original, client, operation, request)
        if fate == "dies after":
            raise KilledError
        if fate == "loses the answer":
            raise ReadTimeoutError(endpoint_url=client.meta.endpoint_url)
        return answer

    def _answer(self, original: Callable[..., Any], client: Any, operation: str, request: dict[str, Any]) -> Any:
        ours = {
            "SendMessage": self._send_message,
            "StartPipelineExecution": self._start,
            "DescribePipelineExecution": self._describe,
            "ListPipelineExecutionSteps": lambda _: {"PipelineExecutionSteps": []},
            "SendEmail": self._mail,
        }
        if operation not in ours:
            return original(client, operation, request)
        client._serializer.serialize_to_request(request, client.meta.service_model.operation_model(operation))
        return ours[operation](request)

    def _send_message(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if request["QueueUrl"] == DEAD_URL:
            self.letters.append(request)
            return {"MessageId": "m"}
        identity, recent = request["MessageDeduplicationId"], self.clock() - timedelta(minutes=5)
        if self._accepted.get(identity, recent) <= recent:
            self._accepted[identity] = self.clock()
            self.send("start_run", request["MessageBody"], self.poll_seconds, request["MessageGroupId"])
        return {"MessageId": "m"}

    def _start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        known = len(self.executions.by_token)
        self._inside.aws = True
        arn = self.executions.start(request)
        self._inside.aws = False
        if len(self.executions.by_token) > known:
            self.at(self.executions.seconds, lambda: self._end(arn))
        return {"PipelineExecutionArn": arn}

    def _end(self, arn: str) -> None:
        self.executions.end(arn)
        name = "succeeded" if self.executions.states[arn] == "Succeeded" else "failed"
        event = with_detail(sample(f"sagemaker/pipeline-execution-{name}"), pipelineExecutionArn=arn)
        # Once and twice, and that of a success never, too: the next upload finds how the run before has ended.
        for _ in range(self.chance.randint(int(name == "failed"), 2)):
            self.at(self.chance.uniform(0, 9), lambda: self._report(event))

    def _describe(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        arn = request["PipelineExecutionArn"]
        if arn not in self.executions.states:
            raise client_error("ResourceNotFound")
        return {"PipelineExecutionArn": arn, "PipelineExecutionStatus": self.executions.states[arn]}

    def _mail(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.mails.append(request)
        return {"MessageId": "m"}


@contextmanager
def storm(
    monkeypatch: pytest.MonkeyPatch,
    strikes: InTurn | Calm,
    seed: int = 1,
    *,
    cloud: Mapping[str, str] = MOTO,
    quiet: int = QUIET,
    poll: int = POLL,
) -> Iterator[Storm]:
    """Give a storm over an empty table and bucket, and the project abalone: inside `mock_aws`, or in a `cloud`.

    `cloud` is the environment by which programs reach it. Both it and `mock_aws` have to be empty.
    """
    for name, value in {**_SETTINGS, **cloud, "POLL_SECONDS": str(poll)}.items():
        monkeypatch.setenv(name, value)
    forget()
    s3 = boto3.client("s3")
    for bucket in (BUCKET, ARTIFACTS):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    created_table(TABLE)
    uploads = (ProjectUploads("incoming/", "abalone", "", quiet, LONGEST),)
    pipelines = {"abalone": ProjectPipeline(PIPELINE, ("abalone",))}
    project = projects.to_json(Project("abalone", "abalone-0123456789ab", uploads, pipelines))
    boto3.client("ssm").put_parameter(Name="/signalbox/projects/abalone", Value=project, Type="String")
    made = Storm(strikes, seed, poll)
    library: Any = botocore.client.BaseClient
    original = library._make_api_call

    def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
        return made.call(original, client, operation, request)

    monkeypatch.setattr(library, "_make_api_call", call)
    monkeypatch.setattr(moments, "now", made.clock)
    yield made
    forget()


def forget() -> None:
    """Let the functions start anew, as in a new execution environment, and the test's own clients too."""
    boto3.setup_default_session()
    clients.client.cache_clear()
    clients._session.cache_clear()
    _forget_ports()


def _forget_ports() -> None:
    for name in FUNCTIONS:
        importlib.import_module(f"functions.{name}.app")._ports.cache_clear()


def _units(operation: str, request: Mapping[str, Any]) -> int:
    """Return how many units a call writes (Amazon DynamoDB Developer Guide: two for each item of a transaction)."""
    if operation == "TransactWriteItems":
        return 2 * len(request["TransactItems"])
    return int(operation in ("PutItem", "UpdateItem", "DeleteItem"))


def _failed(answer: Mapping[str, Any]) -> Iterable[int]:
    return [int(each["itemIdentifier"].removeprefix("m-")) for each in answer["batchItemFailures"]]
