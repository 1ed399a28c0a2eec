"""SNS's subscriptions by e-mail: ministack 1.5.33 takes them as confirmed at once.

What AWS does is from the Amazon SNS API reference, Subscribe: until somebody follows the link in the mail, the answer
is `pending confirmation`, unless the ARN is asked for, and nothing is sent. Topics send no mail here: it stays pending.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.ministack import topics

type Answer = tuple[int, dict[str, str], bytes]

_MAIL = ("email", "email-json")


def leave_mail_subscriptions_pending() -> None:
    """Gap: a subscription by e-mail has an ARN at once; on AWS it waits for its confirmation."""
    subscribe = topics._subscribe

    def subscribed(request: Mapping[str, Any]) -> Answer:
        before = _arns(request)
        answer: Answer = subscribe(request)
        for subscription in _subscriptions(request):
            if subscription["arn"] not in before:
                _leave_pending(subscription)
        asks_for_arn = str(topics._p(request, "ReturnSubscriptionArn")).lower() == "true"
        return answer if asks_for_arn else _hidden(answer, "pending confirmation")

    topics._subscribe = subscribed
    topics._list_subscriptions = _told(topics._list_subscriptions)
    topics._list_subscriptions_by_topic = _told(topics._list_subscriptions_by_topic)


def leave_mail_subscriptions_of_stacks_pending() -> None:
    """Gap: the same of a subscription that a stack makes."""
    for kind in ("AWS::SNS::Topic", "AWS::SNS::Subscription"):
        handlers = ministack.resource_handlers(kind)
        for verb in ("create", "update"):
            handlers[verb] = _followed(handlers[verb])


def _all() -> list[dict[str, Any]]:
    return [subscription for topic in topics._topics.values() for subscription in topic["subscriptions"]]


def _subscriptions(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    topic = topics._topics.get(topics._p(request, "TopicArn"))
    return topic["subscriptions"] if topic else []


def _arns(request: Mapping[str, Any]) -> set[str]:
    return {subscription["arn"] for subscription in _subscriptions(request)}


def _leave_pending(subscription: dict[str, Any]) -> None:
    if subscription["protocol"] in _MAIL:
        subscription["confirmed"] = False
        subscription["attributes"] |= {"PendingConfirmation": "true", "ConfirmationWasAuthenticated": "false"}


def _followed(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a stack's handler after which what it subscribed by e-mail is pending."""

    def made(*arguments: Any, **more: Any) -> Any:
        before = {subscription["arn"] for subscription in _all()}
        answer = make(*arguments, **more)
        for subscription in _all():
            if subscription["arn"] not in before:
                _leave_pending(subscription)
        return answer

    return made


def _told(listed: Callable[[Mapping[str, Any]], Answer]) -> Callable[[Mapping[str, Any]], Answer]:
    return lambda request: _hidden(listed(request), "PendingConfirmation")


def _hidden(answer: Answer, word: str) -> Answer:
    """Return an answer with a word in place of the ARNs of subscriptions by e-mail that are not confirmed."""
    status, headers, body = answer
    for subscription in _all():
        if subscription["protocol"] in _MAIL and not subscription["confirmed"]:
            body = body.replace(f">{subscription['arn']}<".encode(), f">{word}<".encode())
    return status, headers, body
