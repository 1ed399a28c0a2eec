"""A browser that meets the review page: it follows links, keeps cookies, sends forms."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import cast
from urllib.parse import parse_qsl, urlencode

from signalbox.reviews import page as review_page
from tests.support.reviews import World


@dataclass
class Page:
    """An answer of the page."""

    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    body: str

    @property
    def fields(self) -> dict[str, str]:
        """Return the form's hidden fields and its text."""
        found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.body))
        area = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", self.body, re.DOTALL)
        found |= {"reason": area[1]} if area else {}
        return {name: unescape(value) for name, value in found.items()}


class Browser:
    """Somebody's browser: follows links, keeps cookies (`old_style`: they come as a header), sends forms."""

    def __init__(
        self, world: World, domain: str = "abc.execute-api.eu-west-1.amazonaws.com", *, old_style: bool = False
    ) -> None:
        self.old_style = old_style
        self.world = world
        self.domain = domain
        self.cookies: dict[str, str] = {}

    def open(self, link: str, method: str = "GET") -> Page:
        """Ask for a page without a body."""
        return self.send(link, method)

    def submit(
        self, link: str, page: Page, choice: str, reason: str = "", *, word: str | None = None, encoded: bool = False
    ) -> Page:
        """Send the form of a page that was opened by a link, with a button pressed, and the word of the link's mail."""
        typed = self.world.word(link) if word is None else word
        body = urlencode({**page.fields, "choice": choice, "reason": reason, "word": typed})
        sent = base64.b64encode(body.encode()).decode() if encoded else body
        return self.send(link, "POST", sent, encoded=encoded)

    def decide(self, link: str, choice: str, reason: str = "", word: str | None = None) -> Page:
        """Open a link and send its form."""
        return self.submit(link, self.open(link), choice, reason, word=word)

    def send(
        self,
        link: str,
        method: str,
        body: str | None = None,
        *,
        encoded: bool = False,
        content_type: str = "application/x-www-form-urlencoded; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """Send a request as API Gateway passes it to the function."""
        address, _, query = link.partition("?")
        event = {
            "version": "2.0",
            "rawPath": "/" + address.split("/", 3)[-1],
            "rawQueryString": query,
            "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
            "pathParameters": {"review": address.rsplit("/", 1)[-1]},
            "headers": {
                **({"content-type": content_type} if body is not None else {}),
                **(headers or {}),
            },
            "requestContext": {
                "domainName": self.domain,
                "http": {"method": method, "sourceIp": "203.0.113.7", "userAgent": "Browser/1.0 " + "x" * 300},
            },
            "isBase64Encoded": encoded,
        }
        if self.cookies and self.old_style:
            event["headers"] = {
                **cast("dict[str, str]", event["headers"]),
                "cookie": "; ".join(["other=1", *(f"{name}={value}" for name, value in self.cookies.items())]),
            }
        elif self.cookies:
            event["cookies"] = [f"{name}={value}" for name, value in self.cookies.items()]
        if body is not None:
            event["body"] = body
        answer = review_page.answer(event, self.world.page_ports())
        for cookie in answer.get("cookies", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Page(answer["statusCode"], answer["headers"], answer.get("cookies", []), answer["body"])
