"""The inbox: mails as they were sent, and the page that lists them."""

from typing import Any

import pytest

from sagemaker_local import inbox


@pytest.mark.parametrize(
    ("mail", "subject", "html", "text"),
    [
        ({"Subject": "s", "BodyText": "<t>"}, "s", "<pre>&lt;t&gt;</pre>", "<t>"),
        ({"RenderedSubject": "r", "Subject": "s", "BodyHtml": "<b>"}, "r", "<b>", ""),
        ({"RenderedBodyHtml": "<r>", "RenderedBodyText": "rt", "BodyText": "t"}, "", "<r>", "rt"),
        ({}, "", "<pre></pre>", ""),
    ],
)
def test_a_mail_is_read_whichever_way_it_was_sent(mail: dict[str, Any], subject: str, html: str, text: str) -> None:
    assert (inbox.subject(mail), inbox.html(mail), inbox.text(mail)) == (subject, html, text)


def test_an_empty_inbox_says_so() -> None:
    assert "No mail yet" in inbox.page([])
    assert "to a@b.c, d@e.f" in inbox.page([{"To": ["a@b.c", "d@e.f"], "Subject": "s"}])
