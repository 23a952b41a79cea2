"""What the answers tell a browser, and whom they let ask."""

from __future__ import annotations

import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, free_port
from sites import Site, serve

from digitre import create_app
from digitre.web.app import static_version
from digitre.web.headers import HEADERS

PATHS = [("get", "/"), ("post", "/_get_digit"), ("get", "/healthz"), ("get", "/nothing")]


@pytest.mark.parametrize(("method", "path"), [*PATHS, ("get", "/docs"), ("get", "/openapi.json")])
def test_every_answer_has_the_headers(client, method: str, path: str) -> None:
    """Pages, readings and errors alike; and no cookie ever."""
    response = getattr(client, method)(path)
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    assert "Set-Cookie" not in response.headers
    assert "Access-Control-Allow-Origin" not in response.headers


def test_other_origins_may_not_ask_by_default(client, seven: bytes) -> None:
    """CORS is closed: another page's script cannot read an answer, nor ask beforehand."""
    origin = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    for response in (
        client.post("/_get_digit", data=seven, headers=origin),
        client.options("/_get_digit", headers=origin),
    ):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("setting", "allowed", "refused"),
    [("https://a.example, https://b.example", "https://b.example", "https://c.example"),
     ("*", "https://c.example", None)],
)  # fmt: skip
def test_the_api_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, seven: bytes, setting: str, allowed: str, refused: str | None
) -> None:
    """DIGITRE_CORS_ORIGINS names who may; a browser's question beforehand is answered."""
    monkeypatch.setenv("DIGITRE_CORS_ORIGINS", setting)
    client = create_app({"TESTING": True}).test_client()
    response = client.post("/_get_digit", data=seven, headers={"Origin": allowed})
    assert response.headers["Access-Control-Allow-Origin"] == ("*" if setting == "*" else allowed)
    assert "Access-Control-Allow-Credentials" not in response.headers
    before = client.options(
        "/_get_digit",
        headers={"Origin": allowed, "Access-Control-Request-Method": "POST"},
    )
    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    assert before.headers["Access-Control-Allow-Headers"] == "Content-Type"
    if refused:
        response = client.post("/_get_digit", data=seven, headers={"Origin": refused})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]


# --- Mozilla's HTTP Observatory, by its published rules ---
# https://github.com/mdn/mdn-http-observatory/blob/main/src/grader/charts.js


def score(page: dict[str, str], body: str, redirected: bool) -> int:
    """A site's points: 100, less what is missing, and what is better than asked for on top."""
    changes = []
    policy = page.get("content-security-policy", "")
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";") if part)
    if not policy:
        changes.append(-25)
    elif "unsafe-inline" in directives.get("script-src", directives.get("default-src", "")):
        changes.append(-20)
    elif "unsafe-eval" in policy:
        changes.append(-10)
    elif "unsafe" in policy:
        changes.append(0)
    else:
        changes.append(10 if directives.get("default-src") == "'none'" else 5)
    changes.append(0 if "set-cookie" not in page else -40)
    changes.append(-50 if page.get("access-control-allow-origin") not in (None, "*") else 0)
    changes.append(0 if redirected else -20)
    referrer = page.get("referrer-policy")
    changes.append({None: 0, "unsafe-url": -5}.get(referrer, 5))
    age = re.search(r"max-age=(\d+)", page.get("strict-transport-security", ""))
    changes.append(-20 if not age else -10 if int(age[1]) < 15_768_000 else 0)
    outside = re.findall(r'<script[^>]*src="(?:https?:)?//', body)
    changes.append(-5 if outside else 0)
    changes.append(0 if page.get("x-content-type-options") == "nosniff" else -5)
    framed = "frame-ancestors" in directives or "x-frame-options" in page
    changes.append(5 if framed else -20)
    resources = page.get("cross-origin-resource-policy")
    changes.append(10 if resources in ("same-origin", "same-site") else 0)
    points = 100 + sum(change for change in changes if change < 0)
    # What is better than asked for counts only where little is missing.
    return points + (sum(change for change in changes if change > 0) if points >= 90 else 0)


@pytest.fixture(scope="module")
def site(server: str, tmp_path_factory: pytest.TempPathFactory):
    with serve(tmp_path_factory.mktemp("tls"), server, tls=True) as running:
        yield running


def fetch(url: str, site: Site) -> tuple[dict[str, str], str, str]:
    """The headers in small letters, the body, and where it came from in the end."""
    context = ssl.create_default_context(cafile=str(site.certificate))
    with urllib.request.urlopen(url, timeout=20, context=context) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return headers, answer.read().decode("utf-8", "replace"), answer.url


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", f"/static/{static_version()}/app.js"])
def test_the_observatory_gives_110_or_more(site: Site, path: str) -> None:
    """Over TLS by the shipped nginx.conf, with a certificate: the page, the API, the files."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(Stay)
    with pytest.raises(urllib.error.HTTPError) as raised:
        opener.open(site.http + path, timeout=20)
    assert raised.value.code == 301
    assert raised.value.headers["Location"].startswith("https://127.0.0.1/")
    raised.value.close()
    headers, body, _ = fetch(site.https + path, site)
    assert score(headers, body, redirected=True) >= 110


def test_the_score_is_no_formality() -> None:
    """A site without headers fails, one with a lax policy does not reach 110."""
    assert score({}, "", redirected=False) <= 10
    lax = {name.lower(): value for name, value in HEADERS.items()}
    lax["content-security-policy"] = "default-src 'self' 'unsafe-inline'"
    assert score(lax, "", redirected=True) < 90


def test_nginx_and_the_application_agree() -> None:
    """What nginx sets on what it answers itself is what the application would; a stricter policy."""
    text = (ROOT / "deploy" / "nginx-headers.conf").read_text()
    found = dict(re.findall(r'^add_header (\S+) "?([^"$]+?)"? always;$', text, re.MULTILINE))
    assert found.pop("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'"
    assert found == {k: v for k, v in HEADERS.items() if k != "Content-Security-Policy"}


@pytest.mark.slow
def test_nginxs_own_answers_have_them(tmp_path: Path, seven: bytes) -> None:
    """With no application behind: a file, an unknown page, too large a body, no answer, too many."""
    statuses = set()
    with serve(tmp_path, f"127.0.0.1:{free_port()}", tls=True, unlimited=False) as site:
        context = ssl.create_default_context(cafile=str(site.certificate))
        asked = [(f"/static/{static_version()}/app.js", None), ("/metrics", None)]
        asked += [("/_get_digit", seven * 9000)] + [("/_get_digit", seven)] * 60
        for path, body in asked:
            try:
                answer = urllib.request.urlopen(site.https + path, body, 20, context=context)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                statuses.add(answer.status)
                for name in HEADERS:
                    assert len(answer.headers.get_all(name) or []) == 1, (path, answer.status, name)
                assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"
    assert statuses == {200, 404, 413, 429, 502}


@pytest.mark.slow
def test_the_applications_are_passed_on_once(site: Site) -> None:
    """nginx adds HSTS to them, and nothing twice; without TLS not even that."""
    headers, _, _ = fetch(site.https + "/healthz", site)
    assert set(HEADERS) <= {name for name in HEADERS if name.lower() in headers}
    assert headers["strict-transport-security"] == "max-age=63072000"
    assert "," not in headers["x-content-type-options"]
