"""The page reads on the device, and works without a connection after one visit, in a real Chromium."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from conftest import ROOT
from pages import by_hand, draw, press, read_by_hand, reading_here, wait_for_result, wait_until
from strokes import DIGITS, OTHERS
from werkzeug.serving import make_server

from digitre import create_app
from digitre.recognition.classifier import shipped_model

pytestmark = pytest.mark.slow


@pytest.fixture
def tab(browser, server: str):
    with reading_here(browser, server, 1000, 800) as page:
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
    assert [url for url in asked if not url.endswith("/_compare")] == []  # for the other networks
    with tab.expect_request("**/_get_digit*"):  # the server looks closer if you ask
        read_by_hand(tab)
        press(tab, "Read")


def test_a_network_that_does_not_arrive_is_fetched_again(browser, server: str) -> None:
    """A server that is busy for a moment does not make the page ask it for a whole visit."""
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/network/*", lambda route: route.fulfill(status=503), times=1)
        page.goto(server)
        page.locator("#where", has_text="on the server").wait_for()
        page.locator("#where", has_text="on this device").wait_for()


def test_it_works_without_a_connection(tab) -> None:
    """After one visit, both pages are there while the network is off; they read digits and numbers, ask for
    nothing, and say that you are offline."""
    wait_until(
        tab, "navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated')"
    )
    tab.context.set_offline(True)
    tab.reload()
    tab.locator("#where", has_text="on this device (offline)").wait_for()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    draw(tab, by_hand(DIGITS[7]))
    wait_for_result(tab, "7")
    assert asked == []
    read_by_hand(tab)
    press(tab, "Clear")
    draw(tab, by_hand(DIGITS[2]))
    press(tab, "Read")
    wait_for_result(tab, "2")
    tab.get_by_text("About", exact=True).click()
    tab.get_by_role("link", name="a pad to write on").click()
    write_number(tab, "2026")
    tab.get_by_role("button", name="Send").click()
    tab.get_by_text("The form sends: phone=2026").wait_for()
    tab.context.set_offline(False)


def write_number(tab, text: str) -> None:
    """Write digits side by side on the pad for a phone number, and wait until they are read."""
    canvas = tab.locator("#phone canvas")
    canvas.scroll_into_view_if_needed()
    tab.wait_for_load_state("networkidle")
    box = canvas.bounding_box()
    for place, digit in enumerate(text):
        for stroke in by_hand(DIGITS[int(digit)]):
            points = stroke * 0.4 + (box["x"] + 56 * place - 15, box["y"] + 10)
            tab.mouse.move(*points[0])
            tab.mouse.down()
            for point in points[1:]:
                tab.mouse.move(*point)
            tab.mouse.up()
    wait_until(tab, "document.getElementById('phone').value")


def test_the_worker_keeps_no_answers(tab) -> None:
    """What is kept is the two pages, their files and the network, and nothing of the API."""
    wait_until(
        tab, "navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated')"
    )
    tab.reload()
    read_by_hand(tab)
    draw(tab, by_hand(DIGITS[2]))
    press(tab, "Read")
    wait_for_result(tab, "2")
    kept = tab.evaluate(
        """async () => {
          const [name] = await caches.keys();
          const requests = await (await caches.open(name)).keys();
          return requests.map(({ url }) => new URL(url).pathname);
        }"""
    )
    assert {"/", "/pad"} <= set(kept)
    assert any(path.startswith("/network/") for path in kept)
    assert all(path in ("/", "/pad") or path.startswith(("/static/", "/network/")) for path in kept)


def test_the_worker_changes_with_the_network() -> None:
    """Another network gives another service worker and another address, so no page keeps an old one."""
    workers = []
    for settings in ({}, {"MODEL": str(ROOT / "models" / "demos" / "cnn-3x3.tflite")}):
        client = create_app(settings).test_client()
        response = client.get("/worker.js")
        assert response.mimetype == "text/javascript"
        assert response.headers["Cache-Control"] == "no-cache"
        workers.append(response.text)
    assert workers[0] != workers[1]
    assert "/network/cnn-3x3-" in workers[1]


def test_a_new_network_reaches_an_open_page(browser, tmp_path: Path) -> None:
    """After another network is served, the page has it at its next load, and shows its name."""
    other = shutil.copyfile(shipped_model(), tmp_path / "other.tflite")
    apps = [create_app(), create_app({"MODEL": str(other)})]
    server = make_server("127.0.0.1", 0, lambda *request: apps[0](*request), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with browser.new_context() as context:
            tab = context.new_page()
            tab.goto(f"http://127.0.0.1:{server.server_port}/")
            wait_until(
                tab,
                "navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated')",
            )
            tab.reload()
            tab.locator("#where", has_text="on this device").wait_for()
            del apps[0]
            with tab.expect_response("**/network/other-*") as waiting:
                tab.reload()
            assert waiting.value.ok
            tab.locator("#where", has_text="on this device").wait_for()
            assert "other-" in tab.locator(".about code").first.text_content()
    finally:
        server.shutdown()
        thread.join()


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
