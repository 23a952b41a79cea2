"""The page reads on the device, and works without a connection after one visit, in a real Chromium."""

from __future__ import annotations

import json

import pytest
from pages import by_hand, draw, press, wait_for_result, wait_until
from strokes import DIGITS, OTHERS

from digitre import create_app

pytestmark = pytest.mark.slow


@pytest.fixture
def tab(browser, server: str):
    with browser.new_context(viewport={"width": 1000, "height": 800}) as context:
        page = context.new_page()
        page.goto(server)
        page.locator("#where", has_text="on this device").wait_for()
        yield page


def test_the_page_reads_on_the_device(tab) -> None:
    """While you draw, nothing is sent: the page reads by itself, and says so."""
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    for digit in (7, 3):
        draw(tab, by_hand(DIGITS[digit]))
        wait_for_result(tab, str(digit))
        press(tab, "Clear")
    draw(tab, by_hand(OTHERS["heart"]))
    wait_for_result(tab, "Huh...")
    assert asked == []
    with tab.expect_request("**/_get_digit*"):  # the server looks closer if you ask
        press(tab, "Read")


def test_it_works_without_a_connection(tab) -> None:
    """After one visit, the page is there and reads while the network is off, and says that it is off."""
    wait_until(
        tab, "navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated')"
    )
    tab.context.set_offline(True)
    tab.reload()
    tab.locator("#where", has_text="on this device (offline)").wait_for()
    draw(tab, by_hand(DIGITS[7]))
    wait_for_result(tab, "7")
    tab.get_by_label("Read while I draw").uncheck()
    press(tab, "Clear")
    draw(tab, by_hand(DIGITS[2]))
    press(tab, "Read")
    wait_for_result(tab, "2")
    tab.context.set_offline(False)


def test_the_worker_keeps_no_answers(tab) -> None:
    """What is kept is the page, its files and the network, and nothing of the API."""
    wait_until(
        tab, "navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated')"
    )
    tab.reload()
    press(tab, "Read")
    kept = tab.evaluate(
        """async () => {
          const [name] = await caches.keys();
          const requests = await (await caches.open(name)).keys();
          return requests.map(({ url }) => new URL(url).pathname);
        }"""
    )
    assert "/" in kept
    assert any(path.startswith("/network/") for path in kept)
    assert all(path == "/" or path.startswith(("/static/", "/network/")) for path in kept)


def test_the_worker_changes_with_the_network() -> None:
    """Another network gives another service worker and another address, so no page keeps an old one."""
    from conftest import ROOT

    workers = []
    for settings in ({}, {"MODEL": str(ROOT / "models" / "demos" / "cnn-3x3.tflite")}):
        client = create_app(settings).test_client()
        response = client.get("/worker.js")
        assert response.mimetype == "text/javascript"
        assert response.headers["Cache-Control"] == "no-cache"
        workers.append(response.text)
    assert workers[0] != workers[1]
    assert "/network/cnn-3x3-" in workers[1]


def test_the_manifest_names_icons_that_are_there() -> None:
    """The page can be installed: name, start, and icons of 192 and 512 pixels, also under a path."""
    client = create_app().test_client()
    manifest = json.loads(client.get("/manifest.webmanifest").data)
    assert manifest["start_url"] == manifest["scope"] == "/"
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    for icon in manifest["icons"]:
        response = client.get(icon["src"])
        assert (response.status_code, response.mimetype) == (200, icon["type"])
        response.close()
    under = client.get("/manifest.webmanifest", environ_overrides={"SCRIPT_NAME": "/digits"})
    assert under.get_json()["start_url"] == "/digits/"
