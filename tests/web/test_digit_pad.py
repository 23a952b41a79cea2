"""`<digit-pad>` on a plain page from a plain file server, in a real Chromium."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from pages import follow
from strokes import DIGITS, OTHERS, smooth

from digitre import Classifier
from digitre.recognition import packed

pytestmark = pytest.mark.slow

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A form</title>
<script type="module" src="digit_pad.js"></script></head><body><main><h1>A form</h1>
<form method="post"><label for="answer">6 times 7</label>
<digit-pad id="answer" name="answer" length="2" required%s></digit-pad>
<p><button>Send</button> <button type="reset">Reset</button></p></form></main></body></html>"""
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'"


class Site:
    """A site that has the modules, the network and a form, and keeps what is posted."""

    def __init__(self, network: bytes) -> None:
        self.network = network
        self.attributes = ""
        self.posted: list[dict[str, list[str]]] = []
        self.address = ""

    def content(self, path: str) -> tuple[str, bytes] | None:
        if path == "/":
            return "text/html", (PAGE % self.attributes).encode()
        if path == "/network.bin":
            return "application/octet-stream", self.network
        file = ROOT / "digitre" / "static" / path.strip("/")
        return ("text/javascript", file.read_bytes()) if file.suffix == ".js" else None


@pytest.fixture
def site(classifier: Classifier) -> Iterator[Site]:
    found = Site(packed.pack(classifier.path, classifier.model))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = found.content(self.path) or ("text/plain", b"")
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.posted.append(urllib.parse.parse_qs(body))
            self.do_GET()

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def tab(browser, site: Site):
    with browser.new_context() as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(site.address)
        yield page
        assert not errors


def write(tab, drawings: list, left: int = 20) -> None:
    """Write on the pad with the mouse: drawings of 250 x 250, made small, side by side."""
    box = tab.locator("digit-pad canvas").bounding_box()
    for place, strokes in enumerate(drawings):
        for stroke in strokes:
            points = smooth(stroke) * 0.45 + (box["x"] + left + 70 * place - 30, box["y"] + 8)
            tab.mouse.move(*points[0])
            tab.mouse.down()
            for point in points[1:]:
                tab.mouse.move(*point)
            tab.mouse.up()


def value_of(tab) -> str:
    return tab.locator("digit-pad").evaluate("pad => pad.value")


def written(tab, text: str) -> None:
    """Wait until the pad's field shows this text."""
    field = tab.locator("digit-pad input")
    for _ in range(400):
        if field.input_value() == text:
            return
        tab.wait_for_timeout(25)
    raise AssertionError(f"the pad shows {field.input_value()!r}, not {text!r}")


def test_a_form_gets_the_number_that_was_written(tab, site: Site) -> None:
    """You write 42 on the pad of a plain form, with a strict policy, and the form posts 42."""
    write(tab, [DIGITS[4], DIGITS[2]])
    written(tab, "42")
    assert value_of(tab) == "42"
    tab.get_by_role("button", name="Send").click()
    tab.wait_for_load_state()
    assert site.posted == [{"answer": ["42"]}]


def test_the_pad_says_what_is_missing(tab, site: Site) -> None:
    """An empty pad is not sent; what you type counts as written; undo, clear and reset empty it."""
    message = "pad => pad.checkValidity() ? '' : pad.validationMessage"
    pad = tab.locator("digit-pad")
    assert pad.evaluate(message) == "Please write a number."
    tab.get_by_role("button", name="Send").click()
    assert site.posted == []
    field = tab.locator("digit-pad input")
    field.fill("4")
    assert pad.evaluate(message) == "Please write 2 digits."
    field.fill("4a")
    assert pad.evaluate(message) == "Please write a number."
    field.fill("42")
    assert pad.evaluate(message) == ""
    tab.get_by_role("button", name="Reset").click()
    assert value_of(tab) == ""
    field.fill("42")
    tab.get_by_role("button", name="Clear").click()
    assert value_of(tab) == ""


def test_what_is_no_number_is_refused(tab, site: Site) -> None:
    """A heart gives no value, an event says that it is uncertain, and the form is not sent."""
    script = "pad => { pad.told = []; for (const type of ['input', 'change', 'uncertain']) \
        pad.addEventListener(type, () => pad.told.push(type)); }"
    pad = tab.locator("digit-pad")
    pad.evaluate(script)
    write(tab, [OTHERS["heart"]], left=60)
    tab.locator("digit-pad p", has_text="it was not read").wait_for()
    assert value_of(tab) == ""
    assert pad.evaluate("pad => pad.told") == ["input", "uncertain", "change"]
    assert pad.evaluate("pad => pad.validity.badInput") is True
    tab.get_by_role("button", name="Undo the last stroke").click()
    assert pad.evaluate("pad => pad.strokes.length") == 0
    assert pad.evaluate("pad => pad.validity.badInput") is False


def test_the_pad_has_a_label_for_everybody(tab) -> None:
    """axe finds nothing on the page; the field has the label's text, and a click on the label goes to it."""
    assert Axe().run(tab).response["violations"] == []
    assert tab.locator("digit-pad input").get_attribute("aria-label") == "6 times 7"
    tab.get_by_text("6 times 7").click()
    assert tab.evaluate("document.activeElement.localName") == "digit-pad"


def test_a_server_reads_for_the_pad(browser, site: Site, server: str) -> None:
    """With the attribute server, the pad sends the drawing and its strokes to that server."""
    site.attributes = f' server="{site.address}api"'
    with browser.new_context() as context:
        page = context.new_page()

        def forward(route) -> None:
            path = urllib.parse.urlsplit(route.request.url)
            answer = route.fetch(url=f"{server}{path.path.removeprefix('/api')}?{path.query}")
            route.fulfill(response=answer)

        page.route("**/api/**", forward)
        page.goto(site.address)
        with page.expect_request("**/api/_get_number*") as waiting:
            write(page, [DIGITS[4], DIGITS[2]])
        assert len(waiting.value.post_data_json["strokes"]) == 3
        written(page, "42")


def test_the_examples_work(browser, server: str) -> None:
    """The page of examples passes axe; its first pad shows what is written; its HTML is short."""
    with browser.new_context(viewport={"width": 1000, "height": 900}) as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto(f"{server}/pad")
        page.locator("#one canvas").wait_for()
        assert Axe().run(page).response["violations"] == []
        page.locator("#one canvas").scroll_into_view_if_needed()
        box = page.locator("#one canvas").bounding_box()
        at = (box["x"] + 10, box["y"] + 5)
        follow(page, [smooth(stroke) * 0.45 + at for stroke in DIGITS[7]])
        page.get_by_text("You wrote 7.").wait_for()
        page.locator("#product input").fill("42")
        page.locator("#product input").press("Enter")
        page.get_by_text("Right! The next one:").wait_for()
        for shown in page.locator("pre").all_inner_texts():
            assert shown.count("\n") < 20
        assert errors == []
