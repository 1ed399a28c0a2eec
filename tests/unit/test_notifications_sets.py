"""The mails about sets of uploads: what is wrong, which files, who sent them, and what to do."""

from typing import Any

from tests.support.notifications import in_both
from tests.support.reviews import ANN, BOB, OutboxFake

from signalbox.mail import Mail
from signalbox.notifications import notifying

MANIFEST = "s3://data/incoming/wine/manifest.json"


def mailed(**changes: Any) -> Mail:
    """Return the mail about a set, which every approver has got."""
    outbox = OutboxFake()
    problem: Any = {
        "project": "wine",
        "approvers": [],
        "pipeline": "signalbox-wine",
        "manifest": MANIFEST,
        "by": "user/ann",
        "since": "2026-11-20T12:00:01.000000Z",
        "refused": "",
        "files": 0,
        "missing": 0,
        "first_missing": [],
        **changes,
    }
    ports = notifying.NotifyingPorts(outbox, (ANN, BOB))
    expected = len(problem["approvers"]) or 2
    assert notifying.notify_set(problem, ports) == {"mailed": expected}
    assert len({mail.text for mail in outbox.mails}) == 1
    return outbox.mails[0]


def test_what_cannot_be_used_is_said_with_the_reason_who_sent_it_and_what_becomes_of_the_files() -> None:
    mail = mailed(refused='entry 3 is "x.txt", which does not end in .csv: correct it, and upload it again')
    assert mail.subject == "wine: a set of uploads cannot be used"
    in_both(mail, MANIFEST, "user/ann", "which does not end in .csv", "Friday 20 November 2026", "signalbox-wine")
    in_both(mail, "upload it again, under the same key", "its files wait until a set names them")
    assert f"signalbox uploads {MANIFEST}" in mail.text


def test_missing_files_are_named_and_counted_and_the_rest_is_run() -> None:
    mail = mailed(files=1_030, missing=22, first_missing=[f"incoming/wine/{number}.csv" for number in range(20)])
    assert mail.subject == "wine: a set of uploads is not complete"
    in_both(mail, "Of the set's 1,030 files, 22 did not come within the longest wait:", "incoming/wine/19.csv")
    in_both(mail, "and 2 more", "The rest of the set is run without them", "A file without a byte does not count")
    assert "nothing to run" not in mail.text


def test_of_a_set_of_which_nothing_came_it_is_said_that_nothing_is_run() -> None:
    mail = mailed(files=2, missing=2, first_missing=["incoming/wine/a.csv (taken by run-1 before)", "b.csv"])
    in_both(mail, "None of the set's files came within the longest wait.", "taken by run-1 before")
    in_both(mail, "So there is nothing to run.")
    assert "and 0 more" not in mail.text


def test_a_projects_own_approvers_are_told_in_place_of_the_stacks() -> None:
    assert mailed(approvers=["vera@example.com"], refused="it names no file").to == "vera@example.com"
