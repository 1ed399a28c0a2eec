"""The fourteen most usual situations in which Signalbox writes to people or is visited by them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.pictures import asking, telling


@dataclass(frozen=True)
class Situation:
    """A situation: its name, which its pictures are called by, and what makes its mail or page (HTML).

    `decides` says whether it offers a decision, by two links or two buttons.
    """

    name: str
    html: Callable[[], str]
    decides: bool = False


# In the order in which people meet them.
SITUATIONS = (
    Situation("approval-mail", asking.approval_mail, decides=True),
    Situation("approval-page", asking.page, decides=True),
    Situation("classes-page", asking.page_of_classes, decides=True),
    Situation("untested-mail", asking.untested_mail, decides=True),
    Situation("wrong-word", asking.page_after_a_wrong_word, decides=True),
    Situation("approved-page", asking.page_after_the_approval),
    Situation("rejected-mail", telling.rejected),
    Situation("prod-mail", asking.prod_mail, decides=True),
    Situation("released-mail", telling.released),
    Situation("release-failed-mail", telling.release_failed),
    Situation("put-back-mail", telling.put_back),
    Situation("run-failed-mail", telling.run_failed),
    Situation("run-refused-mail", telling.run_refused),
    Situation("build-failed-mail", telling.build_failed),
)
