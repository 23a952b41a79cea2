"""The files of deploy/: each passes its linter, and they agree with each other."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, need
from sites import complete, edit, install_includes, shipped

DEPLOY = ROOT / "deploy"


def tool(name: str) -> str:
    """The path of a linter, which pip installed with the packages for the tests."""
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip(f"{name} is not available for this platform")
    return path


def test_shellcheck_accepts_the_scripts() -> None:
    """shellcheck has no complaint about any shell script."""
    scripts = [*DEPLOY.glob("*.sh"), ROOT / "tests" / "install_tools.sh"]
    assert DEPLOY / "install.sh" in scripts
    done = subprocess.run([tool("shellcheck"), *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_hadolint_accepts_the_dockerfiles() -> None:
    """hadolint has no complaint, and every file that the Dockerfile copies exists."""
    files = sorted(DEPLOY.rglob("Dockerfile"))
    assert len(files) == 3
    done = subprocess.run([tool("hadolint"), *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for words in re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M
    ):
        for name in words.split():
            assert (ROOT / name).exists(), name


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """systemd accepts both units, and rates the service's exposure 2.0 or lower."""
    analyze = need("systemd-analyze")
    for name in ("digitre.service", "digitre.socket"):
        text = (DEPLOY / name).read_text()
        # These programs are at their path on an installed server only.
        text = re.sub(r"/opt/digitre/venv/bin/(gunicorn|python)", "/bin/true", text)
        (tmp_path / name).write_text(text)
    units = [str(tmp_path / name) for name in ("digitre.service", "digitre.socket")]
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "digitre" not in done.stderr
    done = subprocess.run(
        [analyze, "security", "--offline=true", units[0]], capture_output=True, text=True
    )
    score = re.search(r"exposure level for digitre.service: ([\d.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= 2.0


def test_the_files_agree() -> None:
    """The socket, the folders and the body limit are the same in every file."""
    nginx = (DEPLOY / "nginx.conf").read_text()
    service = (DEPLOY / "digitre.service").read_text()
    installer = (DEPLOY / "install.sh").read_text()
    socket = re.search(r"ListenStream=(\S+)", (DEPLOY / "digitre.socket").read_text())
    assert socket is not None
    assert nginx.count(f"server unix:{socket[1]} max_fails=0;") == 2
    for path in ("/opt/digitre", "/var/lib/digitre", "/etc/digitre.env"):
        assert path in service
        assert path in installer or path == "/opt/digitre"
    assert "home=/opt/digitre" in installer
    assert "alias /opt/digitre/static/$1;" in nginx
    assert "client_max_body_size 8m;" in nginx
    assert 'set $digitre_max_body "8,388,608";' in nginx
    assert "send at most $digitre_max_body bytes" in complete("nginx.conf")


def test_both_sites_share_limits_and_errors() -> None:
    """The balancer has the limits and the errors of a server of its own."""
    one, many = complete("nginx.conf"), complete("nginx-balancer.conf")
    for begin, end in (
        ("# Each address may", "# A request for any other"),
        ("    # nginx's own err", "\n}\n"),
    ):
        part = one[one.index(begin) :].partition(end)[0]
        assert len(part) > 800
        assert part in many
    zones = re.findall(r"limit_req zone=.*;", one)
    assert len(zones) == 6
    assert all(zone in many for zone in zones)


def check_nginx(folder: Path, site: str) -> None:
    """nginx accepts this site."""
    (folder / "site.conf").write_text(site)
    main = folder / "nginx.conf"
    main.write_text(f"events {{}} http {{ include {folder}/site.conf; }}\n")
    command = [need("nginx"), "-t", "-q", "-c", main, "-e", folder / "log"]
    done = subprocess.run([*command, "-g", f"pid {folder}/pid;"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nginx_accepts_the_balancer(tmp_path: Path) -> None:
    """The balancer's site is valid, with a user's paths."""
    replacements = install_includes(tmp_path, "")
    replacements["/var/log/nginx/digitre.log"] = f"{tmp_path}/access.log"
    check_nginx(tmp_path, edit(shipped("nginx-balancer.conf"), replacements))


def test_nginx_accepts_a_site_of_the_version_before(tmp_path: Path) -> None:
    """A site that an upgrade leaves alone is valid with the new files that it includes."""
    site = edit(
        shipped("nginx.conf"),
        {
            "    include /etc/nginx/digitre.d/unknown.conf;": "    return 444;",
            "    access_log /var/log/nginx/digitre.log digitre;  # without addresses\n": "",
            "client_max_body_size 8m;": "client_max_body_size 1m;",
        },
    )
    check_nginx(tmp_path, edit(site, install_includes(tmp_path, "")))


def test_nginx_accepts_the_containers_site(tmp_path: Path) -> None:
    """The site of compose.yaml is valid, and every file that compose.yaml mounts exists."""
    compose = (DEPLOY / "compose.yaml").read_text()
    mounted = re.findall(r"- \./(\S+?):/etc/nginx/(\S+):ro", compose)
    assert {f"nginx-{Path(inside).name}" for _, inside in mounted if "digitre.d" in inside} >= {
        f"nginx-{name}.conf" for name in ("errors", "headers", "limits", "server", "unknown")
    }
    assert all((DEPLOY / file).exists() for file, _ in mounted)
    assert "DIGITRE_TRUSTED_PROXIES" in compose
    replacements = install_includes(tmp_path, "") | {
        "server digitre:8000 max_fails=0;": "server 127.0.0.1:9;"
    }
    check_nginx(tmp_path, edit((DEPLOY / "nginx-compose.conf").read_text(), replacements))


def test_the_containers_nginx_takes_many_connections(tmp_path: Path) -> None:
    """The command of compose.yaml lets a worker of the image's nginx have as many connections as the installer does."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    main = tmp_path / "nginx.conf"
    main.write_text("events {\n    worker_connections  1024;\n}\nhttp {}\n")
    around = {
        "/etc/nginx/nginx.conf": str(main),
        "exec nginx": f"exec {need('nginx')} -t -q -c {main} -e {tmp_path}/log",
        "daemon off;": f"daemon off; pid {tmp_path}/pid;",
    }
    command = shlex.split(edit(compose["services"]["nginx"]["command"], around))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "worker_connections 16384;\n}" in main.read_text()


def test_nginx_accepts_an_older_site(tmp_path: Path) -> None:
    """A site from before limits.conf and server.conf, which an upgrade leaves alone, is still valid."""
    site = """
geo $digitre_limited {
    default 1;
    include /etc/nginx/digitre.d/unlimited.conf;
}
map $digitre_limited $digitre_address {
    1 $binary_remote_addr;
    default "";
}
limit_req_zone $digitre_address zone=digitre_reading:10m rate=20r/s;
map $scheme $digitre_hsts {
    https "max-age=63072000";
    default "";
}
server {
    listen 127.0.0.1:8080;
    location / { limit_req zone=digitre_reading burst=40 nodelay; }
    error_page 404 @not_found;
    location @not_found {
        internal;
        include /etc/nginx/digitre.d/headers.conf;
        return 404;
    }
}
"""
    check_nginx(tmp_path, edit(site, install_includes(tmp_path, "127.0.0.1 0;")))
