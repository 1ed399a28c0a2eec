"""Programs that meet an approval mail's links with a real browser, and a person who does: only the person approves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from signalbox_local.browser import link, word
from tests.support.chromium import NOT_FOUND, Chromium, Tab, program
from tests.system.world import World

pytestmark = pytest.mark.skipif(program() is None, reason=NOT_FOUND)

type Bot = Callable[[Tab, str], None]
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_FILL = "document.querySelectorAll('input:not([type=hidden]), textarea').forEach(field => field.value = 'test')"


@dataclass
class Asked:
    """A review that is open: the mail that asks, and the execution that waits for the answer."""

    world: World
    execution: str
    mail: dict[str, Any]

    @property
    def links(self) -> tuple[str, str]:
        """Return the mail's two links."""
        return link(self.mail, "approve"), link(self.mail, "reject")

    def is_open(self) -> bool:
        """Say whether nothing is decided: neither in the registry nor for the machine that waits."""
        described = self.world.client("stepfunctions").describe_execution(executionArn=self.execution)
        status = self.world.package("bots", 1)["ModelApprovalStatus"]
        return bool(status == "PendingManualApproval" and described["status"] == "RUNNING")


@pytest.fixture(scope="module")
def asked(world: World) -> Asked:
    """Ask for one review, which all the bots of this file meet."""
    return Asked(world, world.train("bots", "c1"), world.mail("approve", "bots version 1"))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Start one browser for all; each bot gets a tab with cookies of its own."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@contextmanager
def somebody_elses_page(html: str, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve a page of another origin, and give its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


# --- what bots do with a link ---
def opens_it(tab: Tab, address: str) -> None:
    tab.go(address)
    tab.run("new Promise(done => { scrollTo(0, document.body.scrollHeight); setTimeout(done, 500) })")


def presses_the_first_button(tab: Tab, address: str) -> None:
    tab.go(address)
    tab.loaded(lambda: tab.click("button"))


def presses_the_first_button_of_every_page_that_comes(tab: Tab, address: str) -> None:
    tab.go(address)
    for _ in range(6):
        tab.loaded(lambda: tab.click("button"))


def presses_every_button(tab: Tab, address: str) -> None:
    tab.go(address)
    for number in range(int(tab.run("document.querySelectorAll('button').length"))):
        tab.go(address)
        tab.loaded(partial(tab.run, f"document.querySelectorAll('button')[{number}].click()"))


def submits_every_form(tab: Tab, address: str) -> None:
    for way in ("requestSubmit", "submit"):
        tab.go(address)
        tab.loaded(partial(tab.run, f"document.forms[0].{way}()"))


def presses_enter_in_every_field(tab: Tab, address: str) -> None:
    tab.go(address)
    tab.click("#word")
    tab.loaded(tab.press_enter)


def makes_a_hidden_field_of_the_choice(tab: Tab, address: str) -> None:
    for choice in ("approve", "reject"):
        tab.go(address)
        field = f"document.forms[0].insertAdjacentHTML('beforeend', '<input name=choice value={choice}>')"
        tab.loaded(partial(tab.run, f"{field}; document.forms[0].submit()"))


def sends_the_form_by_a_script(tab: Tab, address: str) -> None:
    tab.go(address)
    for choice in ("approve", "reject"):
        # The page's own policy allows no connection, so this is what a scanner does outside of the page.
        nonce = tab.run("document.querySelector('[name=nonce]').value")
        cookies = {one["name"]: one["value"] for one in tab.send("Network.getCookies")["cookies"]}
        with httpx.Client(cookies=cookies, timeout=60) as client:
            for _ in range(3):
                answer = client.post(address, data={"nonce": nonce, "choice": choice, "reason": "", "word": ""})
                assert answer.status_code == 400


def loads_it_ahead(tab: Tab, address: str) -> None:
    kept = escape(address)
    ahead = "".join(f'<link rel="{how}" as="fetch" href="{kept}">' for how in ("prefetch", "prerender", "preload"))
    with somebody_elses_page(f'{ahead}<img src="{kept}"><iframe src="{kept}"></iframe>') as page:
        tab.go(page)
        tab.run("new Promise(done => setTimeout(done, 1000))")


def looks_at_it_by_every_method(tab: Tab, address: str) -> None:
    for method in ("HEAD", "GET", "OPTIONS", "PUT", "DELETE", "PATCH"):
        for header in ({}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "preview"}):
            httpx.request(method, address, headers=header, timeout=60)


@pytest.mark.parametrize("number", [0, 1], ids=["the approving link", "the rejecting link"])
@pytest.mark.parametrize(
    "bot",
    [
        opens_it,
        presses_the_first_button,
        presses_the_first_button_of_every_page_that_comes,
        presses_every_button,
        submits_every_form,
        presses_enter_in_every_field,
        makes_a_hidden_field_of_the_choice,
        sends_the_form_by_a_script,
        loads_it_ahead,
        looks_at_it_by_every_method,
    ],
)
def test_a_program_decides_nothing_that(bot: Bot, number: int, asked: Asked, chromium: Chromium) -> None:
    bot(chromium.tab(), asked.links[number])
    assert asked.is_open()


def test_a_program_that_fills_in_every_field_approves_nothing(asked: Asked, chromium: Chromium) -> None:
    tab = chromium.tab()
    tab.go(asked.links[0])
    tab.run(_FILL)
    tab.loaded(lambda: tab.click("button[value=approve]"))
    assert "That is not the word in your mail" in tab.text()
    assert asked.is_open()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["of the same site", "of another site"])
def test_a_page_of_somebody_else_decides_nothing_although_it_knows_the_form_and_the_word(
    host: str, asked: Asked, chromium: Chromium
) -> None:
    tab, address = chromium.tab(), asked.links[0]
    tab.go(address)
    nonce = tab.run("document.querySelector('[name=nonce]').value")
    fields = {"nonce": nonce, "choice": "approve", "word": word(asked.mail), "reason": ""}
    inputs = "".join(f'<input name="{name}" value="{escape(value)}">' for name, value in fields.items())
    press = '<button onclick="document.forms[0].submit()">Win</button>'
    form = f'<form method="post" action="{escape(address)}">{inputs}</form>{press}'
    with somebody_elses_page(form, host) as page:
        tab.go(page)
        tab.loaded(lambda: tab.click("button"))
    assert "sent by a page of somebody else" in tab.text()
    assert asked.is_open()


def test_a_person_with_a_phone_types_the_word_and_approves_once(asked: Asked, chromium: Chromium) -> None:
    world, tab, (approve, reject) = asked.world, chromium.tab(), asked.links
    tab.look_like(360, "light")
    tab.go(approve)
    rows = "A few predictions".upper()
    assert rows in tab.text()
    tab.type("#word", f" {word(asked.mail).capitalize()} ")
    chromium.events.clear()
    tab.loaded(lambda: tab.click("button[value=approve]"))
    [sent] = [one["params"]["request"] for one in chromium.events if _is_post(one)]

    assert "bots version 1 is approved" in tab.text()
    again = httpx.post(sent["url"], content=sent["postData"], headers={**_FORM, "cookie": _cookies(tab)}, timeout=60)
    assert again.status_code == 409, "the same form, sent again"
    for address in (approve, reject):
        tab.go(address)
        assert "You approved it" in tab.text()
        assert rows not in tab.text()
    world.approve(world.mail("to prod", "bots version 1"))
    world.succeeded(asked.execution)


def _is_post(message: dict[str, Any]) -> bool:
    return message.get("method") == "Network.requestWillBeSent" and message["params"]["request"]["method"] == "POST"


def _cookies(tab: Tab) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in tab.send("Network.getCookies")["cookies"])
