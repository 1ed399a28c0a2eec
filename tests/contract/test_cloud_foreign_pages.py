"""A web page that a person happens to visit, in a real browser: it can neither call nor read nor start anything."""

from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest

from sagemaker_local.process import LocalCloud
from sagemaker_local.server import REGION
from tests.contract.world import World
from tests.support.chromium import NOT_FOUND, Chromium, Tab, program

browser_needed = pytest.mark.skipif(program() is None, reason=NOT_FOUND)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser.tab()


class Page(BaseHTTPRequestHandler):
    """Somebody else's web page."""

    def do_GET(self) -> None:  # the library's name
        """Answer with an empty page."""
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module", params=["127.0.0.1", "localhost"])
def page(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a page of another origin: same site and another port, or another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{request.param}:{server.server_port}/"
        server.shutdown()


# What the page asks for, and nobody else does.
OBJECT, PAGES_CALL = "page-bucket/key", "sagemaker:ListModelCards"
FETCHES = {
    "reads": "fetch(TARGET).then(r => r.text())",
    "reads with leave asked": "fetch(TARGET, {method: 'POST', headers: {'x-amz-target': 'SageMaker.ListModelCards'}})",
    "posts blindly": "fetch(TARGET, {method: 'POST', mode: 'no-cors', body: 'x'}).then(r => r.type)",
    "loads a script": "new Promise((good, bad) => {const s = document.createElement('script'); s.src = TARGET;"
    "s.onload = () => good('ran'); s.onerror = () => bad(new Error('refused')); document.head.append(s)})",
}


@browser_needed
@pytest.mark.parametrize("path", ["/_local/mails", "/_local/health", f"/{OBJECT}"])
@pytest.mark.parametrize("way", FETCHES)
def test_a_page_of_another_origin_gets_nothing(
    way: str, path: str, page: str, tab: Tab, local_cloud: LocalCloud
) -> None:
    tab.go(page)

    script = FETCHES[way].replace("TARGET", repr(local_cloud.url + path))
    answer = tab.run(f"{script}.then(found => 'got ' + found, error => 'nothing: ' + error.name)")

    # An opaque answer tells a page neither status nor content.
    assert answer.startswith("nothing: ") or answer == "got opaque"
    asked = [call for call in local_cloud.calls() if call["action"] == PAGES_CALL or OBJECT in call["resource"]]
    assert asked == []


@browser_needed
def test_not_even_a_request_that_the_owner_signed_does_anything_for_a_page(page: str, tab: Tab, cloud: World) -> None:
    iam = cloud.client("iam")

    def signed(user: str) -> str:
        url: str = iam.generate_presigned_url("create_user", Params={"UserName": user}, HttpMethod="GET")
        return url

    by_a_program, by_a_page, by_a_picture = (f"{urlsplit(page).hostname}-{number}" for number in range(3))
    httpx.get(signed(by_a_program))
    tab.go(page)

    tab.run(f"fetch({signed(by_a_page)!r}, {{mode: 'no-cors'}}).then(() => 1, () => 0)")
    tab.run(
        "new Promise(done => {const i = new Image(); i.onload = i.onerror = () => done(1);"
        f"i.src = {signed(by_a_picture)!r}}})"
    )

    users = {user["UserName"] for user in iam.list_users()["Users"]}
    assert users & {by_a_program, by_a_page, by_a_picture} == {by_a_program}


def test_a_foreign_name_gets_nothing_whatever_the_path(local_cloud: LocalCloud) -> None:
    for path in ("/", "/_local/health", "/_local/inbox", "/public/reviews/1", "/_ministack/health", "/bucket/key"):
        answer = httpx.get(local_cloud.url + path, headers={"host": f"evil.example:{local_cloud.port}"})
        assert (answer.status_code, "evil.example" in answer.text) == (403, True), path


def test_a_preflight_is_refused_and_no_answer_has_leave_to_be_read(local_cloud: LocalCloud) -> None:
    ask = partial(httpx.request, url=local_cloud.url + "/bucket/key")
    foreign = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
    answers = [ask("OPTIONS", headers=foreign), ask("GET"), ask("OPTIONS"), ask("POST", headers=foreign)]
    assert answers[0].status_code == answers[3].status_code == 403
    assert [name for answer in answers for name in answer.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize("secret", ["local", "test", ""])
def test_the_owners_key_is_worth_nothing_without_the_secret_of_this_start(secret: str, local_cloud: LocalCloud) -> None:
    own = local_cloud.environment
    guessed: Any = boto3.client(
        "iam",
        endpoint_url=local_cloud.url,
        region_name=REGION,
        aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret or own["AWS_SECRET_ACCESS_KEY"][:-1],
    )
    with pytest.raises(guessed.exceptions.ClientError, match="SignatureDoesNotMatch"):
        guessed.list_roles()


def test_a_request_without_a_signature_does_nothing(local_cloud: LocalCloud) -> None:
    target = {"x-amz-target": "SageMaker.ListModels", "content-type": "application/x-amz-json-1.1"}
    scope = f"Credential={local_cloud.environment['AWS_ACCESS_KEY_ID']}/20261120/us-east-1/sagemaker/aws4_request"
    junk = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"}
    for headers in (target, target | junk):
        assert httpx.post(local_cloud.url, headers=headers, content="{}").status_code in (400, 403)


def test_a_function_sees_nothing_of_the_persons_shell(cloud: World) -> None:
    source = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    answer = cloud.client("lambda").invoke(FunctionName=cloud.function(source))["Payload"].read().decode()
    assert "PYTEST_CURRENT_TEST" not in answer
    assert "PYTEST_XDIST" not in answer
    assert cloud.secret not in answer
