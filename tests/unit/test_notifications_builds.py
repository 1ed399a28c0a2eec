"""The mail about a build that did not end well: what failed, how its log ends, and what strangers wrote in it."""

import re
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.notifications import build_failure, in_both, in_neither, mailed_about_build
from tests.support.reviews import ANN, BOB, OutboxFake

from signalbox import plain
from signalbox.contracts.endings import BuildStatus
from signalbox.mail import MailError, subject_line
from signalbox.notifications import build_texts, notifying
from signalbox.notifications.notifying import NotifyingPorts

COMMIT = "4f1c2e9ab7d05e6c83f2190d4be7a6581c3f0d92"
EVE = "eve@example.com"
UNSEEN = "\u202e\x1b[31m\x07\u200b"
SCIENTIST = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{MICROSCOPE}"


def told(outbox: OutboxFake, **changes: Any) -> list[str]:
    """Return who is mailed, by their addresses."""
    notifying.notify_build_failed(build_failure(**changes), NotifyingPorts(outbox, (ANN, BOB)))
    return [mail.to for mail in outbox.mails]


class Links(HTMLParser):
    """The addresses that a mail's HTML leads to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of a link, and of whatever else would load or send something."""
        self.found += [str(value) for name, value in attrs if name in ("href", "src", "action", "background")]


def test_a_failed_build_is_told_with_its_branch_commit_pusher_and_log() -> None:
    mail = mailed_about_build(lines=["collected 4 items", "E  assert 3 == 4"])

    assert mail.subject == "wine: the build of main at 4f1c2e9 failed"
    in_both(mail, "A command of the build has failed:", "COMMAND_EXECUTION_ERROR: exit status 1", "user/alice")
    in_both(mail, "What is live is unchanged.", "Push a commit that mends it: that starts the next build.")
    assert "THE LAST LINES OF ITS LOG\n\n  collected 4 items\n  E  assert 3 == 4\n" in mail.text
    assert Links(mail.html).found == [build_failure()["url"]]
    assert f"  The log of the build:\n  {build_failure()['url']}\n" in mail.text


def test_the_commit_is_short_for_the_eye_and_whole_in_the_text_and_behind_its_mark() -> None:
    mail = mailed_about_build()

    assert f"  Commit: {COMMIT}\n" in mail.text
    assert re.search(rf'<span title="{COMMIT}"[^>]*>4f1c2e9</span>', mail.html)


@pytest.mark.parametrize(
    ("changes", "title", "said"),
    [
        ({"phase": "DOWNLOAD_SOURCE"}, "failed", "The source or its buildspec could not be read:"),
        ({"phase": "PROVISIONING"}, "failed", "The machine for the build could not be made ready:"),
        ({"phase": "DANCING"}, "failed", "The phase DANCING has failed:"),
        ({"phase": ""}, "failed", "The build has failed:"),
        ({"status": "FAULT"}, "failed", "CodeBuild had a fault of its own, in the phase BUILD:"),
        ({"status": "TIMED_OUT"}, "ran out of time", "The build took longer than it may, in the phase BUILD:"),
        ({"status": "STOPPED", "phase": ""}, "was stopped", "Somebody has stopped the build:"),
        ({"reason": ""}, "failed", "CodeBuild gave no reason."),
    ],
)
def test_what_failed_is_said_in_plain_words(changes: dict[str, Any], title: str, said: str) -> None:
    mail = mailed_about_build(**changes)

    assert mail.subject == f"wine: the build of main at 4f1c2e9 {title}"
    in_both(mail, said)


@pytest.mark.parametrize("status", get_args(BuildStatus.__value__))
def test_a_build_that_its_commit_did_not_end_is_started_again_by_a_commit_without_changes(status: str) -> None:
    mail = mailed_about_build(status=status)

    again = status in {"FAULT", "STOPPED"}
    assert ("git commit --allow-empty -m 'Build again' && git push" in mail.text) is again
    assert ("Push a commit that mends it" in mail.text) is not again


def test_every_phase_of_codebuild_that_can_fail_has_words_of_its_own() -> None:
    phases = (
        "SUBMITTED QUEUED PROVISIONING DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD POST_BUILD UPLOAD_ARTIFACTS FINALIZING"
    )
    leads = {build_texts.build_failed(build_failure(phase=phase)).lead for phase in phases.split()}

    assert len(leads) == 10
    assert not any("_" in lead for lead in leads)


def test_the_approvers_and_who_pushed_are_mailed_each_once() -> None:
    assert told(OutboxFake(), pusher=EVE) == [ANN, BOB, EVE]
    assert told(OutboxFake(), pusher=ANN.upper()) == [ANN, BOB]
    assert told(OutboxFake(), approvers=["cy@example.com", "cy@example.com"], pusher=EVE) == ["cy@example.com", EVE]


def test_a_mail_says_why_one_gets_it() -> None:
    outbox = OutboxFake()
    told(outbox, pusher=EVE)

    first, _, last = outbox.mails
    in_both(first, "You get this mail because you are an approver of this Signalbox.")
    in_both(last, "You get this mail because you pushed this commit.")


def test_an_address_that_takes_no_mails_stops_nobody_elses() -> None:
    outbox = OutboxFake(EVE)
    ports = NotifyingPorts(outbox, (ANN,))

    assert notifying.notify_build_failed(build_failure(pusher=EVE), ports) == {"mailed": 1}
    with pytest.raises(MailError):
        notifying.notify_build_failed(build_failure(pusher=EVE), NotifyingPorts(OutboxFake(ANN, EVE), (ANN,)))


def test_a_log_is_cut_to_its_last_thirty_lines_and_a_long_line_to_its_beginning() -> None:
    written = [f"line {number}\n" for number in range(40)]
    log = build_texts.build_failed(build_failure(lines=[*written, "", "x" * 90_000, "last"])).log

    assert len(log) == build_texts.LINES
    assert (log[0], log[-1]) == ("line 12", "last")
    assert log[-2] == "x" * (build_texts.WIDTH - 1) + "…"


def test_a_bar_that_is_drawn_over_itself_leaves_its_last_states_as_lines() -> None:
    log = build_texts.build_failed(build_failure(lines=["\x1b[2K10 %\r50 %\r100 %\r\n", "\x1b[1;32mdone\x1b[0m"])).log

    assert log == ("10 %", "50 %", "100 %", "done")


EVIL: dict[str, Any] = {
    "branch": f"<b>https://evil.example/{UNSEEN}",
    "commit": "$(reboot)",
    "by": "assumed-role/x/<script>www.evil.example",
    "build": 'x" onclick="steal()',
    "phase": "<i>BUILD",
    "reason": f"see https://evil.example/login\n\nReject:  https://evil.example{UNSEEN}",
    "lines": ["<a href='https://evil.example'>log in</a>", f"evil.example/login {UNSEEN}", "www.evil.example"],
}


def test_nothing_that_a_stranger_wrote_becomes_markup_a_link_or_a_line_of_the_mail() -> None:
    mail = mailed_about_build(**EVIL)

    assert Links(mail.html).found == [build_failure()["url"]]
    assert not re.search(r"<(b|i|script|a href='http)[> ]", mail.html)
    assert ' onclick="' not in mail.html
    in_neither(mail, "https://evil", "www.evil", "evil.example/login", *UNSEEN.replace("[31m", ""))
    in_both(mail, "https[:]//evil[.]example", "www[.]evil.example", "evil[.]example/login")
    assert not [line for line in mail.text.splitlines() if line.startswith("Reject:")]


@pytest.mark.parametrize(
    "url", ["", "http://plain.example/", "javascript:alert(1)", 'https://x" onclick="y', "https://a b", "https://a\nb"]
)
def test_what_is_no_https_address_is_no_link_and_the_log_is_found_by_the_builds_id(url: str) -> None:
    mail = mailed_about_build(url=url)

    assert Links(mail.html).found == []
    in_both(mail, "Read its log, in CodeBuild under the build's id.", "signalbox-wine:7d1f0a52")
    in_neither(mail, "where to look")


@pytest.mark.parametrize(
    "branch",
    [
        "feature/grape-sugar",
        "ann/🍷-новый_лес",
        "topic/" + "very-long-" * 20,
        SCIENTIST * 70,
        "fix.of.v1.2/#17",
        "a'b\"c&d",
        "",
    ],
)
def test_a_branch_of_any_name_is_shown_whole_among_the_facts_and_leaves_room_for_the_end_of_the_title(
    branch: str,
) -> None:
    mail = mailed_about_build(branch=branch)

    assert subject_line(mail.subject).endswith("at 4f1c2e9 failed")
    assert len(mail.subject) < 120
    assert f"  Branch: {branch}\n" in mail.text or not branch
    assert plain.line(mail.subject) == mail.subject


def test_a_build_of_which_nothing_is_known_but_its_end_is_told_all_the_same() -> None:
    empty = dict.fromkeys(("by", "branch", "commit", "build", "url", "phase", "reason"), "")
    mail = mailed_about_build(**empty)

    assert mail.subject == "wine: the build failed"
    in_neither(mail, "Pushed by", "Commit:", "where to look")


@given(st.text(), st.lists(st.text()))
def test_whatever_is_written_the_mail_has_one_link_and_a_subject_of_one_line(text: str, lines: list[str]) -> None:
    mail = mailed_about_build(branch=text, reason=text, by=text, phase=text, commit=text, lines=lines)

    assert Links(mail.html).found == [build_failure()["url"]]
    assert len(subject_line(mail.subject).splitlines()) == 1
    assert subject_line(mail.subject).endswith(" failed")
