"""Links, cookies and nonces of the review page, as a forger meets them."""

from urllib.parse import urlencode

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, BOB, SECRET, World

from signalbox.reviews import keys
from signalbox.reviews.model import Review

LOCAL = "abc.execute-api.localhost"


@pytest.mark.parametrize(
    "broken",
    [
        lambda link: link.replace("key=", "key=x"),
        lambda link: link[: link.index("key=")] + "key=",
        lambda link: link[: link.index("?")],
        lambda link: link.replace("/reviews/", "/reviews/x"),
        lambda link: link[: link.index("key=")] + "key=%ff.%ff",
        lambda link: link[: link.index("key=")] + "key=a.\u00e4",
    ],
)
def test_an_unknown_review_and_a_wrong_key_look_the_same(world: World, review: Review, broken: object) -> None:
    link = broken(world.link())  # type: ignore[operator]  # one of the functions above
    pages = [Browser(world).open(link), Browser(world).send(link, "POST", "choice=approve")]
    assert [page.status for page in pages] == [404, 404]
    assert pages[0].body == pages[1].body == Browser(world).open("https://x/reviews/none?key=a.b").body
    assert pages[0].cookies == []


def test_a_key_for_another_review_or_person_opens_nothing(world: World, review: Review) -> None:
    other = keys.link_key(SECRET, "another", ANN)
    stranger = keys.link_key(SECRET, review.id, "stranger@example.com")
    forged = keys.link_key(b"another secret of thirty-two bytes!", review.id, ANN)
    swapped = keys.link_key(SECRET, review.id, ANN).split(".")[0] + "." + world.link(to=BOB).split(".")[-1]
    for key in (other, stranger, forged, swapped):
        assert Browser(world).open(f"https://x/reviews/{review.id}?key={key}").status == 404


def test_a_form_without_its_cookie_is_refused_and_nothing_typed_is_lost(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    browser.cookies.clear()
    page = browser.submit(link, form, "reject", "typed with care")
    assert page.status == 403
    assert "typed with care" in page.body
    assert "Open the review again" in page.body
    assert world.read(review).status == "open"


def test_a_nonce_holds_for_its_own_browser_person_and_review_only(world: World, review: Review) -> None:
    ann, bob, link = Browser(world), Browser(world), world.link()
    form = ann.open(link)
    other = Browser(world)
    other.open(link)
    assert other.submit(link, form, "approve").status == 403, "another browser"
    bob.open(world.link(to=BOB))
    bob.cookies = dict(ann.cookies)
    assert bob.submit(world.link(to=BOB), form, "approve").status == 403, "another person"
    second = world.request(token="token-2", kind="stage", stage="prod")
    ann.cookies[f"__Host-signalbox-{second.id}"] = next(iter(ann.cookies.values()))
    assert ann.submit(world.link(), form, "approve").status == 403, "another review"
    assert ann.submit(link, form, "approve").status == 200


@pytest.mark.parametrize("nonce", ["", "x", "9999999999.", "9999999999.AAAA", ".", "nonsense.nonsense"])
def test_a_forged_nonce_is_refused(world: World, review: Review, nonce: str) -> None:
    browser, link = Browser(world), world.link()
    browser.open(link)
    assert browser.send(link, "POST", urlencode({"nonce": nonce, "choice": "approve"})).status == 403


def test_a_cookie_of_another_shape_is_replaced_and_refused(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    name = next(iter(browser.cookies))
    browser.cookies[name] = "short"
    assert browser.submit(link, form, "approve").status == 403
    assert browser.open(link).cookies[0].startswith(name)


def test_a_form_holds_for_two_hours(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    world.wait(7201)
    assert browser.submit(link, form, "approve").status == 403
    form = browser.open(link)
    world.wait(7199)
    assert browser.submit(link, form, "approve").status == 200


def test_cookies_in_a_header_are_read_too(world: World, review: Review) -> None:
    assert Browser(world, old_style=True).decide(world.link(), "approve").status == 200


def test_a_second_tab_shares_the_first_ones_cookie(world: World, review: Review) -> None:
    browser = Browser(world)
    first = browser.open(world.link("approve"))
    second = browser.open(world.link("reject"))
    assert first.cookies == second.cookies
    assert browser.submit(world.link("approve"), first, "approve").status == 200


def test_the_cookie_is_secure_except_on_this_machine(world: World, review: Review) -> None:
    link = world.link()
    [cookie] = Browser(world).open(link).cookies
    assert cookie.startswith(f"__Host-signalbox-{review.id}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
    for host in (LOCAL, "127.0.0.1:8080", "localhost", "abc.execute-api.127.0.0.1"):
        browser = Browser(world, host)
        [cookie] = browser.open(link).cookies
        assert cookie.startswith(f"signalbox-{review.id}=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert browser.decide(link, "approve").status == 200


@pytest.mark.parametrize(
    ("body", "kind", "encoded"),
    [
        ('{"choice": "approve"}', "application/json", False),
        ("choice=approve", "text/plain", False),
        ("choice=approve", "", False),
        ("reason=" + "x" * 20_000, "application/x-www-form-urlencoded", False),
        ("&".join(f"f{number}=1" for number in range(20)), "application/x-www-form-urlencoded", False),
        ("%%%", "application/x-www-form-urlencoded", True),
        ("gICA", "application/x-www-form-urlencoded", True),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    world: World,
    review: Review,
    body: str,
    kind: str,
    encoded: bool,
) -> None:
    page = Browser(world).send(world.link(), "POST", body, content_type=kind, encoded=encoded)
    assert page.status == 400
    assert "This is not the form" in page.body


OWN = "https://abc.execute-api.eu-west-1.amazonaws.com"


def posted(world: World, headers: dict[str, str]) -> int:
    """Send the form as a browser would that says so of the page it came from, and return the answer's status."""
    browser, link = Browser(world), world.link()
    fields = {**browser.open(link).fields, "choice": "approve", "word": world.word(link)}
    return browser.send(link, "POST", urlencode(fields), headers=headers).status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.com", "sec-fetch-site": "cross-site"},
        {"origin": OWN, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"origin": "https://abc.execute-api.eu-west-1.amazonaws.com.evil.example.com"},
        {"origin": "http://abc.execute-api.eu-west-1.amazonaws.com"},
        {"origin": "https://xyz.execute-api.eu-west-1.amazonaws.com", "sec-fetch-site": "same-site"},
    ],
)
def test_a_form_that_another_sites_page_sent_decides_nothing(
    world: World, review: Review, headers: dict[str, str]
) -> None:
    assert posted(world, headers) == 403
    assert world.read(review) == review
    assert world.tasks.answers == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": OWN}, {"origin": OWN, "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}],
)
def test_a_form_of_the_page_itself_decides_with_old_and_new_browsers(
    world: World, review: Review, headers: dict[str, str]
) -> None:
    assert posted(world, headers) == 200


def test_a_page_under_a_domain_of_ones_own_takes_forms_of_that_domain_only(world: World, review: Review) -> None:
    world.page_url = "https://Models.example.com:8443/public"
    assert posted(world, {"origin": OWN}) == 403
    assert posted(world, {"origin": "https://models.example.com"}) == 403
    assert posted(world, {"origin": "https://models.example.com:8443"}) == 200
