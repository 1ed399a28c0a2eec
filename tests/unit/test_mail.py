"""Mails: addresses, and what SES is sent."""

import traceback
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.reviews import ANN, BOB, OutboxFake

from signalbox import mail
from signalbox.aws.errors import ServiceBusyError

LETTER = mail.Mail(to=ANN, subject="Grüße\r\nBcc: eve@example.com", text="text", html="<p>html</p>")


def mailer(client: Any) -> mail.SesMailer:
    """Return a mailer whose answers go to the team."""
    return mail.SesMailer("signalbox@example.com", "team@example.com", "untracked", client)


def test_a_mail_goes_to_one_person_as_text_and_html() -> None:
    client: Any = RecordingClient("sesv2")
    mailer(client).send(LETTER)
    [request] = client.requests("SendEmail")
    assert request["FromEmailAddress"] == "signalbox@example.com"
    assert request["ConfigurationSetName"] == "untracked"
    assert request["Destination"] == {"ToAddresses": [ANN]}
    simple = request["Content"]["Simple"]
    assert simple["Subject"] == {"Data": "Grüße Bcc: eve@example.com", "Charset": "UTF-8"}
    assert simple["Body"]["Text"]["Data"] == "text"
    assert simple["Body"]["Html"]["Data"] == "<p>html</p>"


def test_answers_go_to_people_robots_do_not_answer_and_bounces_are_counted() -> None:
    client: Any = RecordingClient("sesv2")
    mailer(client).send(LETTER)
    [request] = client.requests("SendEmail")
    assert request["ReplyToAddresses"] == ["team@example.com"]
    assert request["Content"]["Simple"]["Headers"] == [{"Name": "Auto-Submitted", "Value": "auto-generated"}]
    assert request["ConfigurationSetName"] == "untracked"
    assert request["EmailTags"] == [{"Name": "mails", "Value": "untracked"}]


def test_a_refused_mail_says_who_and_what_to_do() -> None:
    client: Any = RecordingClient("sesv2", {"send_email": client_error("MessageRejected", "not verified")})
    with pytest.raises(mail.MailError, match=r"to a…@example\.com: .*not verified.* verified identity"):
        mailer(client).send(LETTER)


def test_a_mail_that_ses_cannot_take_now_says_to_try_again_and_nothing_of_identities() -> None:
    client: Any = RecordingClient("sesv2", {"send_email": client_error("TooManyRequestsException", "slow down")})
    with pytest.raises(ServiceBusyError, match=r"to a…@example\.com: .*slow down: try again in a moment$"):
        mailer(client).send(LETTER)


def test_mails_that_nobody_could_be_sent_now_are_sent_again_by_whoever_asked() -> None:
    busy, refused = client_error("TooManyRequestsException", "slow down"), client_error("MessageRejected", "no")
    client: Any = RecordingClient("sesv2", {"send_email": [refused, busy, {"MessageId": "1"}, busy]})
    sender = mailer(client)

    with pytest.raises(ServiceBusyError, match="slow down"):
        mail.send_each(sender, [LETTER, LETTER])
    assert mail.send_each(sender, [LETTER, LETTER]) == 1


@pytest.mark.parametrize("code", ["MessageRejected", "ThrottlingException"])
def test_neither_errors_nor_logs_have_the_address_of_a_person(code: str, caplog: pytest.LogCaptureFixture) -> None:
    said = f"Email address is not verified. The following identities failed the check: <{ANN}>, {BOB}"
    refusing: Any = RecordingClient("sesv2", {"send_email": client_error(code, said)})
    sender = mail.SesMailer("ops@example.com", "ops@example.com", "settings", refusing)

    with pytest.raises((mail.MailError, ServiceBusyError)) as caught:
        mail.send_each(sender, [LETTER])

    logged = " ".join(str(vars(record)) for record in caplog.records)
    for text in ("".join(traceback.format_exception(caught.value)), logged):
        assert not any(address in text for address in (ANN, BOB, "ops@example.com"))
        assert "to a…@example.com" in text


def test_a_list_of_addresses_is_read_with_blanks_and_repeats() -> None:
    assert mail.addresses(f" {ANN} ,{BOB},, {ANN}") == (ANN, BOB)


@pytest.mark.parametrize("text", ["", " , ", "ann", "Ann <ann@example.com>", "ann@example", f"{ANN};{BOB}", "a@b@c.de"])
def test_what_is_no_list_of_addresses_is_refused(text: str) -> None:
    with pytest.raises(mail.MailError, match=r"address"):
        mail.addresses(text)


def test_a_long_subject_is_one_line_of_200_characters() -> None:
    assert mail.subject_line("a\nb  c") == "a b c"
    assert len(mail.subject_line("x" * 500)) == 200


def test_mails_are_counted_and_reported_one_by_one() -> None:
    outbox, sent = OutboxFake("b@example.com"), list[str]()
    mails = [mail.Mail(to, "s", "t", "h") for to in ("a@example.com", "b@example.com", "c@example.com")]
    assert mail.send_each(outbox, mails, lambda one: sent.append(one.to)) == 2
    assert sent == ["a@example.com", "c@example.com"]
    assert mail.send_each(outbox, []) == 0
