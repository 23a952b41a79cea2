#!/bin/sh
# Install Digitre on a server with Debian or Ubuntu and systemd: from a clean machine to a served page.
#
#   sudo sh deploy/install.sh digits.example.org     install, or upgrade to this checkout
#   sudo sh deploy/install.sh --remove               uninstall, but keep the drawings and the settings
#   sudo sh deploy/install.sh --remove --purge       uninstall everything
#
# You may run it again at any time. It brings an installation up to date and keeps your changes in
# /etc/digitre.env and in nginx's site.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
checkout=$(dirname -- "$here")
home=/opt/digitre
python=$home/venv/bin/python
site=/etc/nginx/sites-available/digitre

say() { echo "digitre: $*"; }
fail() { echo "digitre: $*" >&2; exit 1; }
has_systemd() { [ -d /run/systemd/system ]; }

reload_nginx() {
    nginx -t -q || fail "nginx rejects its configuration, so it was not reloaded"
    if has_systemd; then systemctl reload-or-restart nginx; fi
}

uninstall() {
    if has_systemd; then systemctl disable --now digitre.service digitre.socket 2>/dev/null || true; fi
    rm -f /etc/systemd/system/digitre.service /etc/systemd/system/digitre.socket
    rm -f /etc/nginx/sites-enabled/digitre "$site"
    rm -rf "$home" /usr/local/bin/digitre
    if has_systemd; then systemctl daemon-reload; fi
    if command -v nginx >/dev/null; then reload_nginx; fi
    if [ "${1:-}" = "--purge" ]; then
        rm -rf /var/lib/digitre /etc/digitre.env /etc/nginx/digitre.d
        deluser --quiet --system digitre 2>/dev/null || true
    else
        say "the drawings are still in /var/lib/digitre, the settings in /etc/digitre.env"
    fi
    say "removed"
}

check_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed; this is $(python3 --version)"
}

install_packages() {
    if command -v python3 >/dev/null; then check_python; fi  # before anything is installed
    packages=""
    command -v nginx >/dev/null || packages="$packages nginx"
    python3 -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"
    if [ -n "$packages" ]; then
        say "installing$packages"
        apt-get update -qq
        # shellcheck disable=SC2086  # several words
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    fi
    check_python
}

install_application() {
    say "installing the application into $home"
    [ -x "$python" ] || python3 -m venv "$home/venv"
    runuser -u digitre -- "$python" -c "" 2>/dev/null || {
        found=$(readlink -f "$python")
        rm -rf "$home/venv"
        fail "the user digitre cannot run $found: put another python3 first in PATH, such as /usr/bin"
    }
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r "$checkout/requirements.txt" -r "$here/build-requirements.txt"
    # pip builds in a copy, because it leaves files there and the checkout may be read-only.
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
    cp -r "$checkout/digitre" "$checkout/models" "$checkout/deploy" "$checkout/wsgi.py" \
        "$checkout/setup.py" "$checkout/pyproject.toml" "$checkout/README.md" "$build"
    # Without isolation it builds with the setuptools whose hash was checked, and fetches no other.
    "$python" -m pip install --quiet --disable-pip-version-check --no-index --no-build-isolation \
        --no-deps --force-reinstall "$build"
    install -m 644 "$here/gunicorn.conf.py" "$home/gunicorn.conf.py"
    install -m 755 "$here/digitre.sh" /usr/local/bin/digitre
    install -d -o digitre -g digitre -m 750 /var/lib/digitre
}

# Each version of the page's files has a folder of its own, so that a page opened before an upgrade still finds
# its files. A folder stays for 30 days after another one took its place.
install_page() {
    if [ -L "$home/static" ]; then rm "$home/static"; fi
    mkdir -p "$home/static"
    current=$(find "$home/static" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -n | tail -n 1)
    if [ -n "$current" ]; then touch "${current#* }"; fi
    find "$home/static" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -r {} +
    hash=$(cd / && "$python" -c 'from digitre.web.app import static_version; print(static_version())')
    files=$(cd / && "$python" -c 'import digitre, os; print(os.path.dirname(digitre.__file__))')/static
    rm -rf "$home/static/$hash"
    cp -r "$files" "$home/static/$hash"
}

write_settings() {
    if [ -f /etc/digitre.env ]; then return; fi
    # Only root and the server may read them: they can hold a secret, or the database's password.
    install -m 640 -o root -g digitre /dev/null /etc/digitre.env
    {
        echo "# Digitre's settings, one NAME=value per line: see docs/configuration.md."
        echo "DIGITRE_TRUSTED_HOSTS=$(echo "${host:-$known}" | tr -s ' ' ','),localhost"
    } >>/etc/digitre.env
}

# The server also does it when it starts. Here it may take its time, while the server before still answers.
migrate_drawings() {
    /usr/local/bin/digitre drawings migrate --existing ||
        say "the drawings are not migrated, so none can be saved: sudo digitre drawings migrate"
}

start_service() {
    for unit in digitre.socket digitre.service; do
        install -m 644 "$here/$unit" "/etc/systemd/system/$unit"
    done
    if has_systemd; then
        systemctl daemon-reload
        systemctl enable --quiet --now digitre.socket
        systemctl enable --quiet digitre.service
        systemctl restart digitre.service
    else
        say "systemd is not running here: start the units' commands yourself"
    fi
}

# Debian lets a worker of nginx have 768 connections, which one address can open.
raise_connections() {
    main=/etc/nginx/nginx.conf
    sed -i 's/^\([[:space:]]*worker_connections\) 768;/\1 16384;/' "$main"
    if ! grep -q worker_rlimit_nofile "$main"; then
        sed -i '/^worker_processes/a worker_rlimit_nofile 40000;' "$main"
    fi
}

install_site() {
    mkdir -p /etc/nginx/digitre.d /var/www/html
    touch /etc/nginx/digitre.d/unlimited.conf
    for name in errors headers limits server unknown; do
        install -m 644 "$here/nginx-$name.conf" "/etc/nginx/digitre.d/$name.conf"
    done
    if [ ! -f "$site" ]; then
        sed "s/digits\.example\.org/$host/g" "$here/nginx.conf" >"$site"
        # A machine without IPv6 cannot listen on it.
        if [ ! -f /proc/net/if_inet6 ]; then sed -i '/listen \[::\]/d' "$site"; fi
    fi
    ln -sfn "$site" /etc/nginx/sites-enabled/digitre
    raise_connections
    # Debian's default site would also claim requests for unknown hosts.
    if [ -L /etc/nginx/sites-enabled/default ]; then rm /etc/nginx/sites-enabled/default; fi
    reload_nginx
}

check_answer() {
    if ! has_systemd; then return; fi
    listening=$(systemctl show --value --property Listen digitre.socket)
    case $listening in
        */run/digitre/digitre.sock*) ;;
        *)
            say "the socket is at $listening, not behind this machine's nginx: ask /healthz there"
            return ;;
    esac
    name=${host:-${known%% *}}
    "$python" -m digitre.serving.health --wait 15 --host "$name" http://127.0.0.1/healthz ||
        fail "is $name in DIGITRE_TRUSTED_HOSTS (/etc/digitre.env)? If so, see journalctl -u digitre"
    say "http://$name/ answers"
}

[ "$(id -u)" = 0 ] || fail "run it as root: sudo sh deploy/install.sh your.host.name"
if [ "${1:-}" = "--remove" ]; then
    uninstall "${2:-}"
    exit 0
fi

host=${1:-}
known=""  # the host names in nginx's site, if there is one
if [ -f "$site" ]; then
    known=$(sed -n 's/^ *server_name \([^_;][^;]*\);.*/\1/p' "$site" | head -n 1)
fi
case $host in
    "") [ -f "$site" ] || fail "name the host: sudo sh deploy/install.sh digits.example.org" ;;
    *[!A-Za-z0-9.-]* | -*) fail "$host is not a host name" ;;
esac
case " $known " in
    "  " | *" $host "*) ;;
    *)
        if [ -n "$host" ]; then
            fail "$site has the host $known: change it there and in /etc/digitre.env, then run this again"
        fi ;;
esac

install_packages
id digitre >/dev/null 2>&1 ||
    adduser --quiet --system --group --no-create-home --home /var/lib/digitre digitre
mkdir -p "$home"
install_application
install_page
write_settings
migrate_drawings
start_service
install_site
check_answer
say "for TLS: certbot certonly --webroot -w /var/www/html -d your.host.name, then see $site"
