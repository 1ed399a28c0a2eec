"""Who decides in the demo: a person at a browser, whose looking decides nothing, or one that is played."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rich.console import Console

from signalbox_local.demo import reviewers
from signalbox_local.demo.reviewers import BrowserReviewer, heading
from signalbox_local.demo.terminal import Terminal


class ReviewPage(BaseHTTPRequestHandler):
    """Shows a form twice, and then who decided."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer as the review page does."""
        self.asked.append(self.path)
        still_open = len(self.asked) < 3
        body = b"<h1>Approve?</h1><form></form>" if still_open else b"<h1>abalone <b>version 1</b>\nis approved</h1>"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    ReviewPage.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), ReviewPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/reviews/r1?key=k&choice=approve"
    server.shutdown()
    server.server_close()


def test_the_demo_waits_until_the_person_has_decided_and_opens_the_inbox_for_each_mail(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    told = io.StringIO()
    you = BrowserReviewer("http://inbox", Terminal(Console(file=told)))

    for subject in ("Approve abalone?", "Release abalone to prod?"):
        mail = {"Subject": subject, "BodyText": f"Approve: {page}"}
        assert you.approve(mail) == "abalone version 1 is approved"
        assert f"Your turn: “{subject}” is the newest mail at http://inbox" in told.getvalue()

    assert opened == ["http://inbox", "http://inbox"]
    assert all(path.startswith("/reviews/r1?") for path in ReviewPage.asked)


def test_a_page_without_a_heading_is_said_to_be_one() -> None:
    assert heading("<p>hello</p>") == "(a page without a heading)"


def test_nobody_is_there_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    assert not reviewers.can_open_browser()
