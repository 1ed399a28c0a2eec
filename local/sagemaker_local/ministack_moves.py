"""SQS's message move tasks, by which dead letters are replayed: ministack 1.5.33 has none.

What AWS does is from the Amazon SQS Developer Guide, "Learn how to configure a dead-letter queue redrive", and from the
API reference, StartMessageMoveTask: the source is the dead-letter queue of another queue; the destination is of the
same type; messages move the oldest first, and become new ones with an id and a time of their own. Without a
destination each goes back to the queue that it came from, so one that was sent to the dead-letter queue does not move.

A task here moves everything at once and is over before it is answered, so there is none that could be cancelled.
"""

import json
import time
import uuid
from typing import Any

from sagemaker_local.ministack import queues

_MOST_LISTED = 10
_tasks: dict[str, list[dict[str, Any]]] = {}  # by the source's ARN, the newest first


def answer_message_moves() -> None:
    """Gap: SQS does not know the three calls of message move tasks."""
    queues._HANDLERS.update(
        StartMessageMoveTask=_start, ListMessageMoveTasks=_list_tasks, CancelMessageMoveTask=_refuse_to_cancel
    )


def _start(request: dict[str, Any], _url: str) -> dict[str, Any]:
    source, destination = request["SourceArn"], request.get("DestinationArn")
    letters = _found(source)
    if not any(source in queue["attributes"].get("RedrivePolicy", "") for queue in queues._queues.values()):
        raise queues._Err("UnsupportedOperation", "Source queue must be configured as a Dead Letter Queue.")
    if destination and _found(destination)["is_fifo"] != letters["is_fifo"]:
        raise queues._Err(
            "UnsupportedOperation", "Source and destination have to be of the same type, standard or FIFO."
        )
    total = len(letters["messages"])
    left = [message for message in letters["messages"] if not _moved(message, destination)]
    letters["messages"] = left
    task = {
        "TaskHandle": str(uuid.uuid4()),
        "Status": "FAILED" if left else "COMPLETED",
        "SourceArn": source,
        "ApproximateNumberOfMessagesMoved": total - len(left),
        "ApproximateNumberOfMessagesToMove": total,
        "StartedTimestamp": int(time.time() * 1000),
        **({"DestinationArn": destination} if destination else {}),
        **({"FailureReason": "CouldNotDetermineMessageSource"} if left else {}),
    }
    _tasks.setdefault(source, []).insert(0, task)
    return {"TaskHandle": task["TaskHandle"]}


def _moved(message: dict[str, Any], destination: str | None) -> bool:
    """Send a letter on as a new message; False, and it stays, where nobody knows where to."""
    arn = destination or message.get("sys", {}).get("DeadLetterQueueSourceArn")
    if not arn:
        return False
    again = {"MessageBody": message["body"], "MessageAttributes": message["message_attributes"]}
    if message["group_id"]:
        # A FIFO dead-letter queue has replaced the deduplication id by the message's own (same page of the guide).
        again |= {"MessageGroupId": message["group_id"], "MessageDeduplicationId": message["id"]}
    queues._act_send_message(again, _found(arn)["url"])
    return True


def _list_tasks(request: dict[str, Any], _url: str) -> dict[str, Any]:
    _found(request["SourceArn"])
    listed = _tasks.get(request["SourceArn"], [])[: min(int(request.get("MaxResults", 1)), _MOST_LISTED)]
    # A handle is told while its task is running only, which none is.
    return {"Results": [{name: value for name, value in task.items() if name != "TaskHandle"} for task in listed]}


def _refuse_to_cancel(request: dict[str, Any], _url: str) -> dict[str, Any]:
    known = any(task["TaskHandle"] == request["TaskHandle"] for tasks in _tasks.values() for task in tasks)
    raise queues._Err(
        "UnsupportedOperation" if known else "ResourceNotFoundException", "There is no running task to cancel."
    )


def _found(arn: str) -> dict[str, Any]:
    queue: dict[str, Any] | None = queues._queue_by_arn(arn)
    if queue is None:
        raise queues._Err("ResourceNotFoundException", f"The resource {json.dumps(arn)} does not exist.")
    return queue
