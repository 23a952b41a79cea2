"""The page is calm: no verdict while the pen is down, nothing that jumps, nothing saved by accident, in a real Chromium."""

from __future__ import annotations

import pytest
from pages import (
    READING,
    SIZES,
    by_hand,
    draw,
    on_screen,
    open_tools,
    press,
    reading_here,
    wait_for_result,
    wait_until,
)
from strokes import DIGITS, OTHERS

pytestmark = pytest.mark.slow


@pytest.fixture(params=SIZES)
def tab(request, browser, server: str):
    """A page that reads on the device, on a phone and on a desktop."""
    with reading_here(browser, server, *SIZES[request.param]) as page:
        yield page


@pytest.fixture
def desktop(browser, server: str):
    """A page that reads on the device, on a desktop."""
    with reading_here(browser, server, *SIZES["desktop"]) as page:
        yield page


def watch(page) -> None:
    """Count what the headline and the screen reader's line say from now on."""
    page.evaluate(
        """() => {
          window.said = { result: [], announcement: [], down: 0 };
          let isDown = false;
          const canvas = document.getElementById("canvas");
          canvas.addEventListener("pointerdown", () => (isDown = true), true);
          addEventListener("pointerup", () => (isDown = false), true);
          for (const name of ["result", "announcement"]) {
            new MutationObserver(() => {
              window.said[name].push(document.getElementById(name).textContent);
              if (isDown) window.said.down += 1;
            }).observe(document.getElementById(name), { childList: true, characterData: true, subtree: true });
          }
        }"""
    )


def test_nothing_is_said_while_the_pen_is_down(desktop) -> None:
    """One 8: the bars move while it is drawn, the headline and the announcement change once, after the pen is up."""
    watch(desktop)
    (points,) = on_screen(desktop, by_hand(DIGITS[8]))
    desktop.mouse.move(*points[0])
    desktop.mouse.down()
    words = set()
    for point in points[1:]:
        desktop.mouse.move(*point)
        words.add(desktop.locator("#probability").inner_text())
    assert desktop.evaluate("window.said") == {"result": [], "announcement": [], "down": 0}
    assert "Huh" not in " ".join(words)
    assert "You call" not in " ".join(words)
    wait_until(
        desktop,
        "[...document.querySelectorAll('.bar > span')].some((bar) => bar.style.getPropertyValue('--share') > 0.1)",
    )
    desktop.mouse.up()
    wait_for_result(desktop, "8")
    said = desktop.evaluate("window.said")
    assert said["down"] == 0
    assert said["result"] == ["8"]
    assert len(said["announcement"]) == 1
    assert said["announcement"][0].startswith("8. ")


def test_a_second_stroke_keeps_the_headline(desktop) -> None:
    """A 4 of two strokes with a pause between them: the headline stays while the second stroke is drawn."""
    first, second = by_hand(DIGITS[4])
    draw(desktop, [first])
    desktop.locator("#result:not(:empty)").wait_for()
    before = desktop.locator("#result").inner_text()
    (points,) = on_screen(desktop, [second])
    desktop.mouse.move(*points[0])
    desktop.mouse.down()
    for point in points[1:]:
        desktop.mouse.move(*point)
        assert desktop.locator("#result").inner_text() == before
    desktop.mouse.up()
    wait_for_result(desktop, "4")


def places(page) -> dict[str, list[float]]:
    """Where the things lie that one uses: left, top, width and height of each."""
    return page.evaluate(
        """() => Object.fromEntries(["#canvas", "#undo", "#clear", "#tools", "#bars", "#confirm", "[data-label='0']",
            "[data-label='none']", ".privacy", "#network", "#compare"].map((name) => {
          const { x, y, width, height } = document.querySelector(name).getBoundingClientRect();
          return [name, [x, y + scrollY, width, height]];
        }))"""
    )


def test_nothing_jumps(tab) -> None:
    """From an empty canvas to a digit, to "Huh...", to a number and a message, no control moves by a pixel."""
    empty = places(tab)
    strip = ("#network", "#compare")  # below the recent drawings on a phone
    draw(tab, by_hand(DIGITS[7]))
    wait_for_result(tab, "7")
    assert places(tab) == empty
    press(tab, "Undo")
    draw(tab, by_hand(OTHERS["scribble"]))
    wait_for_result(tab, "Huh...")
    assert places(tab) == empty
    press(tab, "Undo")
    draw(tab, [stroke * 0.5 + (0, 60) for stroke in by_hand(DIGITS[4])])
    draw(tab, [stroke * 0.5 + (120, 60) for stroke in by_hand(DIGITS[2])])
    wait_for_result(tab, "42")
    assert places(tab) == empty
    tab.locator("#file").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}
    )
    tab.locator("#message.error").wait_for()
    assert places(tab) == empty
    assert tab.locator("#result").inner_text() == "42"  # an unreadable file leaves the answer alone
    press(tab, "Clear")
    now = places(tab)
    assert {k: v for k, v in now.items() if k not in strip} == {
        k: v for k, v in empty.items() if k not in strip
    }


def test_a_phone_shows_all_of_it_at_once(browser, server: str) -> None:
    """On 360 x 740 the canvas, its buttons, the answer, the bars and the correction are in the first screen."""
    with browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True) as context:
        page = context.new_page()
        page.goto(server)
        draw(page, by_hand(DIGITS[5]))
        wait_for_result(page, "5")
        assert page.evaluate("scrollY") == 0
        for name in (
            "#canvas",
            "#undo",
            "#clear",
            "#result",
            "#bars",
            "#confirm",
            "[data-label='none']",
        ):
            box = page.locator(name).bounding_box()
            assert box["y"] >= 0, name
            assert box["y"] + box["height"] <= 740, name
        assert page.get_by_role("button", name="Take a photo").is_visible()
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, summary")]
                .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest("dialog"))
                .map((each) => [each.id || each.textContent, each.getBoundingClientRect().height])
                .filter(([, height]) => height < 43.9)"""
        )
        assert small == []


def test_what_is_unsure_is_asked(browser, server: str) -> None:
    """Between a 1 and a 7 the headline stays "Huh...", and these two are the first buttons."""
    answer = {
        "result": "Huh...",
        "probability": "You call that a digit?",
        "digit": None,
        "confidence": 0.55,
        "probabilities": [0, 0.55, 0, 0, 0, 0, 0, 0.4, 0, 0],
        "not_a_digit": 0.05,
        "candidates": [{"digit": 1, "probability": 0.55}, {"digit": 7, "probability": 0.4}],
        "reason": "unsure",
        "model": "m",
    }
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/network/*", lambda route: route.abort())
        page.route(READING, lambda route: route.fulfill(json=answer))
        page.goto(server)
        draw(page, by_hand(DIGITS[1]))
        wait_for_result(page, "Huh...")
        assert page.locator("#probability").inner_text() == "A 1 or a 7?"
        assert page.locator("#bars .best").count() == 0
        assert page.locator("#confirm button").all_inner_texts() == ["a 1", "a 7"]


def test_a_stray_key_saves_nothing(browser, server: str) -> None:
    """A digit key on a slider, on the page or on a link stores nothing; on the canvas it labels the drawing."""
    with browser.new_context() as context:
        page = context.new_page()
        sent: list[str] = []
        page.route(
            "**/_save_drawing", lambda route: sent.append(route.request.post_data_json["label"])
        )
        page.goto(server)
        open_tools(page)
        draw(page, by_hand(DIGITS[5]))
        wait_for_result(page, "5")
        for place in ("#width", "#threshold", "#mode-draw", "#clear"):
            page.locator(place).focus()
            page.keyboard.press("5")
            page.keyboard.press("e")
            page.keyboard.press("?")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("5")
        assert page.locator("#mode-draw").is_checked()
        assert not page.locator("#keys").is_visible()
        page.locator("#canvas").focus()
        page.keyboard.press("5")
        page.locator("[data-label='5'][aria-pressed=true]").wait_for()
        assert sent == ["5"]


def test_saved_drawings_are_seen_and_deleted_later(browser, server: str) -> None:
    """After a reload the page still lists what was saved from this browser, and deletes one, or all."""
    with browser.new_context() as context:
        page = context.new_page()
        sent: list[tuple[str, str]] = []

        def answer(route) -> None:
            request = route.request
            if request.method == "DELETE":
                sent.append((request.url.rpartition("/")[2], request.post_data_json["receipt"]))
                route.fulfill(status=204)
            else:
                label = request.post_data_json["label"]
                route.fulfill(status=201, json={"id": f"id{label}", "receipt": f"receipt{label}"})

        page.route("**/_save_drawing/**", answer)
        page.route("**/_save_drawing", answer)
        page.goto(server)
        for digit in (3, 7, 2):
            draw(page, by_hand(DIGITS[digit]))
            wait_for_result(page, str(digit))
            press(page, f"Yes, it's a {digit}")
            page.locator("#saved-text", has_text=f"Saved as a {digit}. Thank you!").wait_for()
            press(page, "Clear")
        page.reload()
        page.locator(".privacy summary").click()
        press(page, "Your saved drawings (3)")
        assert [
            text.split("\n")[0] for text in page.locator("#mine-list li").all_inner_texts()
        ] == [
            "a 2",
            "a 7",
            "a 3",
        ]
        press(page, "Delete the drawing saved as a 7")
        page.locator("#mine-status", has_text="Deleted.").wait_for()
        press(page, "Delete all")
        page.locator("#mine-status", has_text="All deleted.").wait_for()
        assert page.locator("#mine-list li").count() == 0
        assert sent == [("id7", "receipt7"), ("id2", "receipt2"), ("id3", "receipt3")]


def test_the_drawing_and_the_strip_survive_a_reload(desktop) -> None:
    """After a reload the drawing is there and read, and the recent drawings too."""
    draw(desktop, by_hand(DIGITS[3]))
    wait_for_result(desktop, "3")
    press(desktop, "Clear")
    draw(desktop, by_hand(DIGITS[6]))
    wait_for_result(desktop, "6")
    desktop.reload()
    wait_for_result(desktop, "6")
    assert desktop.title() == "6 · Digitre"
    desktop.get_by_role("button", name="Bring back the drawing read as 3").click()
    wait_for_result(desktop, "3")


def test_the_wheel_never_loses_the_drawing(page) -> None:
    """However far the wheel turns, the drawing keeps a size, and its middle stays on the canvas."""
    page.locator("label[for=mode-move]").click()
    page.locator("#canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.locator("#message", has_text="nothing to move").wait_for()
    page.locator("label[for=mode-draw]").click()
    draw(page, by_hand(DIGITS[5]))
    page.locator("label[for=mode-move]").click()
    page.locator("#canvas").focus()
    for key in ("-", "+"):
        for _ in range(60):
            page.keyboard.press(key)
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    press(page, "Undo")
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    page.locator("#canvas").focus()
    for _ in range(40):
        page.keyboard.press("-")
    assert page.evaluate(
        """() => {
          const canvas = document.getElementById("canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.some((value, k) => k % 4 === 3 && value > 0);
        }"""
    )


def test_an_error_goes_when_the_network_is_back(browser, server: str) -> None:
    """Once the connection is back, the message goes and the drawing is read."""
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/network/*", lambda route: route.abort())
        page.goto(server)
        page.locator("#where", has_text="the server").wait_for()
        context.set_offline(True)
        draw(page, by_hand(DIGITS[3]))
        page.locator("#message.error").wait_for()
        context.set_offline(False)
        wait_for_result(page, "3")
        assert not page.locator("#message").is_visible()


def test_text_of_twice_the_size_fits(browser, server: str) -> None:
    """With text at 200 %, nothing scrolls sideways at 640 px."""
    with browser.new_context(viewport={"width": 640, "height": 800}) as context:
        page = context.new_page()
        page.goto(server)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        open_tools(page)
        draw(page, by_hand(DIGITS[3]))
        wait_for_result(page, "3")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_print_shows_drawing_answer_and_bars(page) -> None:
    """On paper are the drawing, the answer and the bars, and no controls."""
    page.emulate_media(media="print")
    for name in ("#canvas", "#result", "#bars"):
        assert page.locator(name).is_visible(), name
    for name in (".below", "#tools", "#compare", "#how", "#feedback"):
        assert not page.locator(name).is_visible(), name


def test_without_script_no_control_is_dead(browser, server: str) -> None:
    """Without JavaScript there is the form, and no button that does nothing."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(server)
        assert page.locator("button:visible").all_inner_texts() == ["Read it"]
        assert page.locator("input:visible").count() == 1


def test_edges_can_be_seen(browser, server: str) -> None:
    """The edge of the canvas and of the buttons stands out from the ground by 3 to 1, light and dark."""
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(server)
            contrast = page.evaluate(
                """() => {
                  const luminance = (colour) => {
                    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255);
                    const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
                  };
                  const ground = luminance(getComputedStyle(document.documentElement).backgroundColor);
                  const edge = luminance(getComputedStyle(document.getElementById("canvas")).borderTopColor);
                  return Math.max(ground, edge) / Math.min(ground, edge);
                }"""
            )
            assert contrast >= 3, scheme
