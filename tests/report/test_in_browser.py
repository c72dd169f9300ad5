"""The page in Chromium: nothing leaves it, everything filters, by mouse and by keys."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import trailsieve
from tests.report import factory
from tests.report.test_page import HOSTILE, hostile, many
from tests.servers.patience import until
from trailsieve.investigation.model import Investigation
from trailsieve.report import page as report

SIZES = {"desktop": (1280, 900), "telephone": (420, 900)}
Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def opened(chromium: Browser, folder: Path) -> Iterator[Opener]:
    """Opens an investigation's page; fails when it asks for anything, or complains."""
    contexts, problems = [], []

    def open_page(found: Investigation | None = None, fragment: str = "", **options: Any) -> Page:
        file = folder / f"{id(found) if found else 'page'}.html"
        if not file.exists():
            file.write_bytes(report.render(found or factory.investigated()))
        context = chromium.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        requests: list[str] = []
        page.goto(file.as_uri() + fragment)
        fragment_of(page)
        if [url for url in requests if not url.startswith((file.as_uri(), "blob:", "data:"))]:
            problems.append(f"requests: {requests}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def fragment_of(page: Page) -> str:
    """What the address has after its path, once the page is drawn so."""
    # Not `wait_for_function`: what it asks again and again, the page's Content-Security-Policy forbids.
    drawn = "document.documentElement.dataset.drawn === location.hash"
    until(lambda: bool(page.evaluate(drawn)), "the page was drawn")
    return str(page.evaluate("location.hash"))


def shown(page: Page) -> int:
    """The number of alerts that the filters leave."""
    fragment_of(page)
    text = page.locator("#alerts .print-count").inner_text()
    return int(text.split(" of ")[-1].split()[0].replace(",", ""))


def chips(page: Page) -> list[str]:
    fragment_of(page)
    return page.locator(".chip").all_inner_texts()


def test_the_first_screen_names_suspect_acts_and_what_remains(opened: Opener) -> None:
    page = opened(viewport={"width": 1280, "height": 900})
    for text in ("Not over", "StopLogging", "CreateAccessKey", "94 points", "Still there"):
        box = page.get_by_text(text).first.bounding_box()
        assert box
        assert box["y"] + box["height"] < 900, text


def test_a_click_filters_everything_and_the_address_restores_it(opened: Opener) -> None:
    page = opened()
    every = shown(page)
    page.locator(".digest .pivot[data-key=event]", has_text="StopLogging").click()
    assert chips(page) == ["event: StopLogging ✕"]
    assert 0 < shown(page) < every
    assert page.locator("tr.step:visible").count() == 2  # in the digest and in the story
    assert page.locator("#matrix tbody th").count() >= 1
    again = opened(fragment=fragment_of(page))
    assert chips(again) == chips(page)
    assert shown(again) == shown(page)
    page.locator(".chip").click()
    assert shown(page) == every
    assert page.locator("#filters").is_hidden()
    page.go_back()
    assert chips(page) == ["event: StopLogging ✕"]


@pytest.mark.parametrize("key", ["principal", "address", "key", "rule"])
def test_every_kind_of_pivot_filters_the_alerts(key: str, opened: Opener) -> None:
    page = opened()
    every = shown(page)
    page.locator(f"#stories .pivot[data-key={key}]").first.click()
    assert 0 < shown(page) < every


def test_a_cell_filters_by_principal_and_event(opened: Opener) -> None:
    page = opened()
    cell = page.locator("#matrix td button").first
    count = int(cell.inner_text())
    cell.click()
    assert len(chips(page)) == 2
    assert shown(page) == count


def test_it_works_by_keys_alone(opened: Opener) -> None:
    page = opened()
    every = shown(page)
    page.locator(".digest .pivot[data-key=event]").first.focus()
    page.keyboard.press("Enter")
    assert len(chips(page)) == 1
    page.locator(".chip").focus()
    page.keyboard.press("Enter")
    assert shown(page) == every
    page.locator("#alerts [data-alert]").first.focus()
    page.keyboard.press("Enter")
    page.locator("#alerts .why").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.locator("#timeline .plot").first.focus()
    page.keyboard.press("+")
    assert "from=" in fragment_of(page)
    page.locator("#timeline .plot").first.focus()  # the chart was drawn anew
    page.keyboard.press("Escape")
    assert "from=" not in fragment_of(page)


def test_a_selection_in_a_chart_zooms_all_charts_and_the_tables(opened: Opener) -> None:
    page = opened(viewport={"width": 1280, "height": 900})
    every = shown(page)
    for number in range(page.locator("#timeline .u-over").count()):
        plot = page.locator("#timeline .u-over").nth(number)
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50, steps=4)
        page.mouse.up()
        assert "from=2026-03-14T02" in fragment_of(page)
        assert 0 < shown(page) < every
        page.get_by_role("button", name="Whole time").click()
        assert shown(page) == every


def test_a_typed_range_zooms(opened: Opener) -> None:
    page = opened()
    page.get_by_label("From, UTC").fill("2026-03-14 03:00")
    page.get_by_label("to, UTC").fill("2026-03-14 03:20")
    page.get_by_role("button", name="Zoom", exact=True).click()
    assert "from=2026-03-14T03%3A00%3A00Z" in fragment_of(page)
    times = page.locator("#alerts td.time").all_inner_texts()
    assert times
    assert all("03:00" <= time[-8:-3] <= "03:20" for time in times)


def test_an_alert_says_why_it_matched_and_shows_its_record(opened: Opener) -> None:
    page = opened()
    page.locator("#alerts [data-alert]").first.click()
    why = page.locator("#alerts .why li")
    why.first.wait_for()
    assert "← " in page.locator("#alerts .why").inner_text()
    [alert] = [one for one in factory.investigated().alerts if one.id == first_id(page)]
    text = page.locator("#alerts .detail pre").first.inner_text()
    assert json.loads(text) == json.loads(alert.records[0])


def first_id(page: Page) -> str:
    """The id of the alert that is open: the rows are the alerts in time order."""
    row = int(fragment_of(page).split("alert=")[1])
    ids = [alert.id for alert in sorted(factory.investigated().alerts, key=lambda alert: alert.time or "")]
    return ids[row]


def test_patterns_and_exceptions_are_valid(opened: Opener) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.locator("#stories .pivot[data-key=principal]").first.click()
    page.locator("#alerts .pivot[data-key=rule]").first.click()
    count = shown(page)

    def copied(name: str) -> str:
        page.locator("#filters").get_by_role("button", name=name).click()
        said = "document.getElementById('status').textContent.endsWith('copied')"
        until(lambda: bool(page.evaluate(said)), "it was copied")
        return str(page.evaluate("navigator.clipboard.readText()"))

    pattern = trailsieve.compile(copied("Copy as pattern"))
    records = {record for alert in factory.investigated().alerts for record in alert.records}
    assert sum(map(pattern.matches, records)) == count > 0
    [override] = tomllib.loads(copied("Copy as exception"))["override"]
    assert override["rule"] in chips(page)[1]
    assert trailsieve.compile(override["exceptions"][0]["pattern"]).text.startswith("{ $.userIdentity.arn = ")


def test_exports_are_what_the_filters_leave(opened: Opener) -> None:
    found = msgspec.structs.replace(
        factory.investigated(),
        alerts=[
            msgspec.structs.replace(alert, principal='=2+3,"x"') for alert in factory.investigated().alerts
        ],
        counts=[],
    )
    page = opened(found)
    with page.expect_download() as download:
        page.locator("#alerts").get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert len(rows) == shown(page) == len(found.alerts)
    assert {row["principal"] for row in rows} == {'\'=2+3,"x"'}
    with page.expect_download() as download:
        page.locator("#alerts").get_by_role("button", name="JSON").click()
    assert len(json.loads(download.value.path().read_text("utf-8"))) == len(rows)
    with page.expect_download() as download:
        page.get_by_role("button", name="Layer for the ATT&CK Navigator").click()
    assert json.loads(download.value.path().read_text("utf-8"))["versions"]["layer"] == "4.5"


def test_hostile_text_stays_text(opened: Opener) -> None:
    page = opened(hostile())
    page.locator("#alerts [data-alert]").first.click()
    page.locator("#alerts .detail pre").first.wait_for()
    assert HOSTILE.split("\u202e")[0] in page.locator("#matrix").inner_text()
    assert page.locator("script").count() == page.evaluate("document.scripts.length")
    assert (
        page.evaluate("[...document.scripts].filter((each) => each.textContent.startsWith('alert')).length")
        == 0
    )
    assert "\u202e" not in page.locator("body").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_it_is_accessible_and_fits(scheme: Any, size: tuple[int, int], opened: Opener) -> None:
    page = opened(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.locator("#alerts [data-alert]").first.click()
    page.locator("#alerts .detail pre").first.wait_for()
    page.locator("#stories .pivot[data-key=principal]").first.click()
    page.locator("details summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page, context=None, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


def test_print_shows_all_and_no_controls(opened: Opener) -> None:
    page = opened(viewport={"width": 794, "height": 1100})
    page.emulate_media(media="print")
    assert page.locator(".bar").is_hidden()
    assert page.locator("#alerts .controls").first.is_hidden()
    assert page.get_by_text("Not over").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#timeline details td").first.is_visible()


def test_a_hundred_thousand_alerts_are_shown(opened: Opener, record_property: Callable[..., None]) -> None:
    page = opened(many(100_000))
    record_property("first view, ms", page.evaluate("performance.now()"))
    assert "100,000" in page.locator("#verdict .tallies").inner_text()
    page.locator("#alerts").get_by_role("button", name="Next").click()
    assert page.locator("#alerts tbody tr").count() == 100


def test_a_page_without_suspects_shows_the_rules(opened: Opener) -> None:
    page = opened(factory.replayed())
    assert page.locator(".fired tbody tr").count() == len(factory.replayed().fired)
    every = shown(page)
    page.locator(".fired .pivot[data-key=rule]").first.click()
    assert 0 < shown(page) < every


def test_an_old_browser_gets_the_verdict_and_a_reason(chromium: Browser, folder: Path) -> None:
    file = folder / "old.html"
    file.write_bytes(report.render(factory.investigated()))
    page = chromium.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(file.as_uri())
    assert "too old" in page.locator("#timeline").inner_text()
    assert "StopLogging" in page.locator(".digest").inner_text()
    page.close()
