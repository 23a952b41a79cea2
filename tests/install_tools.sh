#!/bin/sh
# Install the programs that the tests drive, where they are missing and that is possible:
# a Chromium, nginx and curl. A test whose program is still missing says so and is skipped,
# or fails where CI=true.
# Usage: install_tools.sh PYTHON (the one with Playwright)
set -u
python=$1

missing=""
for pair in nginx:nginx curl:curl chromium:chromium; do
    program=${pair%%:*}
    command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing="$missing ${pair##*:}"
done
case "$missing" in
    *chromium*)
        for other in chromium-browser google-chrome; do
            command -v "$other" >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ chromium//')
        done
        ;;
esac
[ -z "$missing" ] && exit 0

root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
if command -v apt-get >/dev/null 2>&1; then
    echo "installing:$missing"
    $root apt-get update -qq >/dev/null 2>&1
    # A package that starts a service at once would take a port that may be somebody's.
    $root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
        echo "could not install:$missing" >&2
fi
if ! command -v chromium >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
    timeout 300 "$python" -m playwright install --with-deps --only-shell chromium >/dev/null 2>&1 ||
        echo "Playwright could not download a Chromium" >&2
fi
exit 0
