#!/bin/sh
# Install the programs that the tests need, if they are missing: Chromium, nginx, curl, wrk, openssl, ip,
# systemd-analyze and PostgreSQL, with apt (as root, or by sudo without a password). Tests whose program is still
# missing are skipped, but fail if CI=true.
# Usage: install_tools.sh PYTHON [long] (the one with Playwright; long: npm and Firefox, too, for the long tests)
set -u
python=$1
here=$(dirname -- "$0")
PATH=$PATH:/usr/sbin:/sbin

has() { command -v "$1" >/dev/null 2>&1; }

has_chromium() {
    has chromium || has chromium-browser || has google-chrome || "$python" "$here/has_chromium.py"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

updated=""
package() {
    has apt-get || return 1
    echo "installing $1"
    [ -n "$updated" ] || as_root apt-get update -qq >/dev/null 2>&1
    updated=yes
    # RUNLEVEL: otherwise some packages start a service, on a port that you may be using.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1
}

for program in nginx curl wrk openssl; do
    has "$program" || package "$program" || echo "could not install $program" >&2
done
if [ "${2:-}" = long ]; then
    for program in npm firefox-esr; do
        has "$program" || package "$program" || echo "could not install $program" >&2
    done
fi
has systemd-analyze || package systemd || echo "could not install systemd" >&2
has ip || package iproute2 || echo "could not install iproute2" >&2
# Debian keeps PostgreSQL's programs off the PATH.
has pg_ctl || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || package postgresql ||
    echo "could not install postgresql" >&2
if ! has_chromium && ! package chromium; then
    "$python" -m playwright install --only-shell chromium >/dev/null 2>&1 ||
        echo "could not install Chromium" >&2
fi
exit 0
