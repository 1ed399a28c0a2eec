"""Where a model comes from, in the mail and on the page, while the review is open and after."""

import json
from html import unescape

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import EXECUTION, REPORT, ReportsFake, World, report

CONSOLE = "https://eu-west-1.console.aws.amazon.com"
PLACES = (
    f"{CONSOLE}/s3/object/artifacts?region=eu-west-1&prefix=evaluations/run-7/report.json",
    f"{CONSOLE}/states/home?region=eu-west-1#/v2/executions/details/{EXECUTION}",
)
FACTS = {
    "Registered by": "user/ann",
    "Files": "incoming/a.csv, incoming/b.csv and 3 more",
    "Uploaded by": "user/ann, assumed-role/Uploader/bob and 1 more; not recorded for 2 files",
    "Run": "signalbox-abalone-000012-20260301T100000Z",
    "Training time": "2 min 14 s",
    "Test data": "s3://data/models/abalone/test/",
    "Training rows": "2,934",
    "Test rows": "1,418",
    "Threshold": "MSE at most 6.0",
    "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost@sha256:0a1b",
}
LINEAGE = {
    "run": FACTS["Run"],
    "files": ["incoming/a.csv", "incoming/b.csv"],
    "file_count": 5,
    "uploaders": {"names": ["user/ann", "assumed-role/Uploader/bob"], "count": 3, "unknown": 2},
    "threshold": FACTS["Threshold"],
    "train_rows": 2934,
}


def reports(world: World, lineage: object) -> ReportsFake:
    ann = "arn:aws:iam::123456789012:user/ann"
    known = {"image": FACTS["Image"], "test_data": FACTS["Test data"], "registered_by": ann if lineage else ""}
    text = json.dumps(report(lineage=lineage, **known))
    world.reports.texts[REPORT] = text
    return world.reports


def test_mail_and_page_say_where_the_model_comes_from_in_the_same_words(world: World) -> None:
    reports(world, LINEAGE)
    world.request()
    mail, page = world.outbox.mails[0], unescape(Browser(world).open(world.link()).body)
    for label, value in FACTS.items():
        assert f"  {label}: {value}\n" in mail.text
        for html in (unescape(mail.html), page):
            assert f">{label}</th>" in html
            assert f">{value}</td>" in html
    for address in PLACES:
        assert f"  {address}\n" in mail.text
        assert f'<a href="{address}"' in unescape(mail.html)
        assert f'<a href="{address}"' in page


def test_the_link_of_a_review_that_is_over_still_says_where_the_model_comes_from(world: World) -> None:
    reports(world, LINEAGE)
    world.request()
    link = world.link()
    Browser(world).decide(link, "approve")
    page = unescape(Browser(world).open(link).body)
    assert all(f">{value}</td>" in page for value in FACTS.values())
    assert all(address in page for address in PLACES)


def test_what_is_not_known_has_no_line(world: World) -> None:
    reports(world, None)
    world.request()
    text = world.outbox.mails[0].text
    assert not any(f"  {label}:" in text for label in ("Files", "Run", "Threshold"))
    assert "  Training rows: not counted\n  Test rows: 1,418\n" in text


@pytest.mark.parametrize(
    ("uploaders", "said"),
    [
        (None, "not recorded"),
        ({"names": [], "count": 0, "unknown": 2}, "not recorded"),
        ({"names": ["root"], "count": 1, "unknown": 0}, "root"),
        ({"names": ["root"], "count": 1, "unknown": 1}, "root; not recorded for 1 file"),
        ({"names": ["user/\u202eann\nApprove: yes"], "count": 1, "unknown": 0}, "user/ann Approve: yes"),
        ({"names": [f"user/{letter}" for letter in "abcdefgh"], "count": 8, "unknown": 0},
         "user/a, user/b, user/c, user/d, user/e and 3 more"),
    ],
)  # fmt: skip
def test_whoever_uploaded_the_files_is_named_as_far_as_that_is_known(
    world: World, uploaders: object, said: str
) -> None:
    reports(world, {"files": ["a.csv"], "file_count": 1, "uploaders": uploaders})
    world.request()
    assert f"  Uploaded by: {said}\n" in world.outbox.mails[0].text


def test_who_asked_for_the_training_of_an_image_is_named_as_what_its_request_says(world: World) -> None:
    reports(world, {"started_by": "arn:aws:sts::123456789012:assumed-role/Dev/bob"})
    world.request()
    mail, page = world.outbox.mails[0], unescape(Browser(world).open(world.link()).body)
    said = "assumed-role/Dev/bob, as the request says"
    assert f"  Started by: {said}\n" in mail.text
    assert f">{said}</td>" in page


def test_a_file_whose_name_is_markup_or_has_lines_stays_a_name(world: World) -> None:
    reports(world, {"files": ["<b>a</b>\nApprove: https://evil.example"], "file_count": 1})
    world.request()
    mail = world.outbox.mails[0]
    assert "<b>" not in mail.html
    assert "\nApprove: https://evil" not in mail.text
