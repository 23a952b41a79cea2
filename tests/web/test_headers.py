"""The security headers of every response, and CORS."""

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


def assert_headers(response) -> None:
    """Each of the headers, exactly once."""
    for name, value in HEADERS.items():
        assert response.headers.getlist(name) == [value]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *PATHS,
        ("get", "/docs"),
        ("get", "/openapi.json"),
        ("head", "/"),
        ("options", "/_get_digit"),
        ("delete", "/_get_digit"),
        ("get", f"/static/{static_version()}/style.css"),
    ],
)
def test_every_response_has_the_headers(client, method: str, path: str) -> None:
    """Pages, readings, files and errors all have the headers, and none sets a cookie."""
    response = getattr(client, method)(path)
    assert_headers(response)
    assert "Set-Cookie" not in response.headers
    assert "Access-Control-Allow-Origin" not in response.headers
    response.close()


def test_refused_requests_have_the_headers(client) -> None:
    """A body over the limit and a host that is not served get the headers too."""
    response = client.post("/_get_digit", data=b"a" * (8 * 2**20 + 1))
    assert response.status_code == 413
    assert_headers(response)
    app = create_app({"TRUSTED_HOSTS": ["digits.example"]})
    response = app.test_client().get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert_headers(response)


@pytest.mark.parametrize("broken", ["classifier.detect", "metrics.count_request"])
def test_failures_have_the_headers(seven: bytes, broken: str) -> None:
    """A 500 has the headers, even if the code that runs after the view fails."""

    def fail(*_):
        raise RuntimeError

    app = create_app()
    part, method = broken.split(".")
    setattr(getattr(app.extensions["digitre"], part), method, fail)
    response = app.test_client().post("/_get_digit", data=seven)
    assert response.status_code == 500
    assert_headers(response)


def test_every_address_that_takes_get_takes_head(app) -> None:
    """HEAD gets what GET gets, without the body."""
    client = app.test_client()
    paths = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = [path for path in paths if "<" not in path]
    assert {"/", "/docs", "/healthz", "/readyz", "/metrics", "/v2/health/ready"} <= set(paths)
    for path in [*paths, f"/static/{static_version()}/style.css", "/nothing"]:
        read, head = client.get(path), client.head(path)
        assert (head.status_code, head.mimetype) == (read.status_code, read.mimetype), path
        assert head.data == b"", path
        if path != "/metrics":  # it counts the request before
            assert head.headers["Content-Length"] == read.headers["Content-Length"], path
        read.close()
        head.close()


def test_other_origins_are_refused_by_default(client, seven: bytes) -> None:
    """CORS is closed: a script of another origin cannot read an answer, and its preflight fails."""
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
def test_cors_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, seven: bytes, setting: str, allowed: str, refused: str | None
) -> None:
    """DIGITRE_CORS_ORIGINS allows origins, and the preflight of a browser is answered."""
    monkeypatch.setenv("DIGITRE_CORS_ORIGINS", setting)
    client = create_app({"TESTING": True}).test_client()
    response = client.post("/_get_digit", data=seven, headers={"Origin": allowed})
    assert response.headers["Access-Control-Allow-Origin"] == ("*" if setting == "*" else allowed)
    assert "Access-Control-Allow-Credentials" not in response.headers
    preflight = client.options(
        "/_get_digit",
        headers={"Origin": allowed, "Access-Control-Request-Method": "POST"},
    )
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    allowed_headers = preflight.headers["Access-Control-Allow-Headers"].split(", ")
    assert allowed_headers == ["Authorization", "Content-Type", "X-Requested-With"]
    if refused:
        response = client.post("/_get_digit", data=seven, headers={"Origin": refused})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]


# --- Mozilla's HTTP Observatory, by its published rules ---
# https://github.com/mdn/mdn-http-observatory/blob/main/src/grader/charts.js


def score(page: dict[str, str], body: str, redirected: bool) -> int:
    """A site's score: 100, minus penalties, plus bonuses."""
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
    # Bonuses count only from 90 points on.
    return points + (sum(change for change in changes if change > 0) if points >= 90 else 0)


@pytest.fixture(scope="module")
def site(server: str, tmp_path_factory: pytest.TempPathFactory):
    with serve(tmp_path_factory.mktemp("tls"), server, tls=True) as running:
        yield running


def fetch(url: str, site: Site) -> tuple[dict[str, str], str, str]:
    """The headers with lower-case names, the body, and the final URL."""
    context = ssl.create_default_context(cafile=str(site.certificate))
    with urllib.request.urlopen(url, timeout=20, context=context) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return headers, answer.read().decode("utf-8", "replace"), answer.url


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", f"/static/{static_version()}/app.js"])
def test_the_observatory_scores_110_or_more(site: Site, path: str) -> None:
    """The page, the API and the files score 110 over TLS with the shipped nginx.conf."""

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


def test_the_score_finds_bad_sites() -> None:
    """A site without headers fails, and one with a lax policy stays below 90."""
    assert score({}, "", redirected=False) <= 10
    lax = {name.lower(): value for name, value in HEADERS.items()}
    lax["content-security-policy"] = "default-src 'self' 'unsafe-inline'"
    assert score(lax, "", redirected=True) < 90


def test_nginx_and_the_application_agree() -> None:
    """nginx's own answers have the headers of the application, with a stricter policy."""
    text = (ROOT / "deploy" / "nginx-headers.conf").read_text()
    added = dict(re.findall(r'^add_header (\S+) "?([^"$]+?)"? always;$', text, re.MULTILINE))
    assert added.pop("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'"
    assert added == {k: v for k, v in HEADERS.items() if k != "Content-Security-Policy"}


@pytest.mark.slow
def test_nginxs_own_answers_have_the_headers(tmp_path: Path, seven: bytes) -> None:
    """Without an application behind it, nginx answers with a file, 404, 413, 429 and 503."""
    statuses = set()
    with serve(tmp_path, f"127.0.0.1:{free_port()}", tls=True, unlimited=False) as site:
        context = ssl.create_default_context(cafile=str(site.certificate))
        requests = [(f"/static/{static_version()}/app.js", None), ("/metrics", None)]
        requests += [("/_get_digit", seven * 9000), ("/_get_digit", seven)]
        requests += [("/_save_drawing", b"{}")] * 30  # 2 a second, 8 more in a burst
        for path, body in requests:
            try:
                answer = urllib.request.urlopen(site.https + path, body, 20, context=context)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                statuses.add(answer.status)
                for name in HEADERS:
                    assert len(answer.headers.get_all(name) or []) == 1, (path, answer.status, name)
                assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"
    assert statuses == {200, 404, 413, 429, 503}


@pytest.mark.slow
def test_nginx_passes_the_headers_on_once(site: Site) -> None:
    """nginx adds only HSTS to the application's headers, and repeats none of them."""
    headers, _, _ = fetch(site.https + "/healthz", site)
    assert set(HEADERS) <= {name for name in HEADERS if name.lower() in headers}
    assert headers["strict-transport-security"] == "max-age=63072000"
    assert "," not in headers["x-content-type-options"]
