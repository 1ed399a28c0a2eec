"""Reviews: decided once, by a person, with the evidence in front of them. What each function needs, on AWS.

What only one function needs is imported where it is wired, so that the others start without it.
"""

from functools import partial
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.machines import StateMachines
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.table import Table
from signalbox.reviews.adapters import DynamoReviews, secret
from signalbox.reviews.deciding import DecidingPorts
from signalbox.settings import OWN_ADDRESS, CloseReview, RequestReview, ReviewPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalbox.mail import Mailer
    from signalbox.reviews.closing import ClosingPorts
    from signalbox.reviews.requesting import RequestingPorts
    from signalbox.reviews.responses import PagePorts
    from signalbox.reviews.rules import AnswerOutcome

__all__ = ["closing_ports", "page_ports", "registry_answers", "requesting_ports"]


def requesting_ports(settings: RequestReview) -> "RequestingPorts":
    """Return the ports of `request_review`. Raises MailError where the list of approvers is wrong."""
    from signalbox import owners  # noqa: PLC0415  # see above
    from signalbox.aws.s3 import ObjectStore  # noqa: PLC0415  # see above
    from signalbox.mail import SesMailer, addresses  # noqa: PLC0415  # see above
    from signalbox.reviews.reports import read_report  # noqa: PLC0415  # see above
    from signalbox.reviews.requesting import RequestingPorts  # noqa: PLC0415  # see above

    return RequestingPorts(
        deciding=DecidingPorts(DynamoReviews(Table(settings.reviews_table)), StateMachines(), moments.now),
        report=partial(read_report, objects=ObjectStore()),
        mailer=SesMailer(settings.sender, settings.reply_to, settings.mail_settings),
        secret=partial(secret, settings.review_secret_arn),
        url=settings.review_url.rstrip("/"),
        approvers=addresses(settings.approvers),
        own=partial(owners.approvers, settings.prefix),
    )


def page_ports(settings: ReviewPage) -> "PagePorts":
    """Return the ports of `review_page`."""
    from secrets import token_urlsafe  # noqa: PLC0415  # see above

    from signalbox.reviews.responses import PagePorts  # noqa: PLC0415  # see above

    def mailer() -> "Mailer":
        from signalbox.mail import SesMailer  # noqa: PLC0415  # the page mails only when words are used up

        return SesMailer(settings.sender, settings.reply_to, settings.mail_settings)

    store = DynamoReviews(Table(settings.reviews_table))
    return PagePorts(
        deciding=DecidingPorts(store, StateMachines(), moments.now, ModelRegistry()),
        secret=partial(secret, settings.review_secret_arn),
        random=partial(token_urlsafe, 24),
        mailer=mailer,
        url="" if settings.page_url == OWN_ADDRESS else settings.page_url,
    )


def closing_ports(settings: CloseReview) -> "ClosingPorts":
    """Return the ports of `close_review`."""
    from signalbox.reviews.closing import ClosingPorts  # noqa: PLC0415  # see above

    return ClosingPorts(DynamoReviews(Table(settings.reviews_table)), ModelRegistry(), moments.now)


def registry_answers(reviews_table: str) -> "Callable[[str, bool, str, str], AnswerOutcome]":
    """Return what `on_model_package` has answer a package's reviews: (package ARN, approved, by, at) → its outcome."""
    from signalbox.reviews.answering import answer_from_registry  # noqa: PLC0415  # see above

    ports = DecidingPorts(DynamoReviews(Table(reviews_table)), StateMachines(), moments.now)
    return partial(answer_from_registry, ports=ports)
