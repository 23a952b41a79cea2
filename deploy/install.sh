#!/bin/sh
# Digitre on a server of its own, Debian or Ubuntu with systemd: from a clean machine to a served page.
#
#   sudo sh deploy/install.sh digits.example.org     install, or upgrade to this checkout
#   sudo sh deploy/install.sh --remove               remove it; the drawings in /var/lib/digitre stay
#   sudo sh deploy/install.sh --remove --purge       and the drawings
#
# It may be run again at any time: what is there is brought up to date, and what you changed in
# /etc/digitre.env and in nginx's site stays.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
checkout=$(dirname -- "$here")
home=/opt/digitre
site=/etc/nginx/sites-available/digitre

say() { echo "digitre: $*"; }
fail() { echo "digitre: $*" >&2; exit 1; }
has_systemd() { [ -d /run/systemd/system ]; }

[ "$(id -u)" = 0 ] || fail "run it as root: sudo sh deploy/install.sh your.host.name"

reload_nginx() {
    nginx -t -q || fail "nginx does not take its configuration: nothing was reloaded"
    if has_systemd; then systemctl reload-or-restart nginx; fi
}

if [ "${1:-}" = "--remove" ]; then
    if has_systemd; then systemctl disable --now digitre.service digitre.socket 2>/dev/null || true; fi
    rm -f /etc/systemd/system/digitre.service /etc/systemd/system/digitre.socket
    rm -f /etc/nginx/sites-enabled/digitre "$site"
    rm -rf "$home" /usr/local/bin/digitre
    if has_systemd; then systemctl daemon-reload; fi
    command -v nginx >/dev/null && reload_nginx
    if [ "${2:-}" = "--purge" ]; then
        rm -rf /var/lib/digitre /etc/digitre.env /etc/nginx/digitre.d
        deluser --quiet --system digitre 2>/dev/null || true
    else
        say "the drawings are still in /var/lib/digitre, the settings in /etc/digitre.env"
    fi
    say "removed"
    exit 0
fi

host=${1:-}
known=""
[ -f "$site" ] && known=$(sed -n 's/^ *server_name \([^_;][^;]*\);.*/\1/p' "$site" | head -n 1)
if [ -n "$host" ] && [ -n "$known" ]; then
    case " $known " in
        *" $host "*) ;;
        *) fail "$site has the host $known: change it there and in /etc/digitre.env, then run this again" ;;
    esac
fi
# As the application reads it: without quotes and blanks, .example.org for all below it.
trusted=""
[ -f /etc/digitre.env ] && trusted=$(sed -n 's/^DIGITRE_TRUSTED_HOSTS=//p' /etc/digitre.env | tr -d "\"' ")
is_trusted() {
    case ",$trusted," in *",$1,"* | *",.$1,"*) return 0 ;; esac
    rest=$1
    while [ "$rest" != "${rest#*.}" ]; do
        rest=${rest#*.}
        case ",$trusted," in *",.$rest,"*) return 0 ;; esac
    done
    return 1
}
if [ -n "$host" ] && [ -n "$trusted" ] && ! is_trusted "$host"; then
    fail "/etc/digitre.env has the hosts $trusted: change DIGITRE_TRUSTED_HOSTS there, then run this again"
fi
case $host in
    "") [ -f "$site" ] || fail "name the host: sudo sh deploy/install.sh digits.example.org" ;;
    *[!A-Za-z0-9.-]* | -*) fail "$host is no host name" ;;
esac

check_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed; this is $(python3 --version)"
}
command -v python3 >/dev/null && check_python  # before anything is installed for nothing
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

id digitre >/dev/null 2>&1 ||
    adduser --quiet --system --group --no-create-home --home /var/lib/digitre digitre

say "installing the application into $home"
mkdir -p "$home"
static_version='from digitre.web.app import static_version; print(static_version())'
before=$(cd / && "$home/venv/bin/python" -c "$static_version" 2>/dev/null) || before=""
[ -x "$home/venv/bin/python" ] || python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r "$checkout/requirements.txt"
# From a copy: building leaves files in the folder, which may be read-only, or somebody's.
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cp -r "$checkout/digitre" "$checkout/models" "$checkout/deploy" "$checkout/wsgi.py" \
    "$checkout/setup.py" "$checkout/pyproject.toml" "$checkout/README.md" "$build"
"$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --force-reinstall "$build"
installed=$(cd / && "$home/venv/bin/python" -c 'import digitre, os; print(os.path.dirname(digitre.__file__))')
install -m 644 "$here/gunicorn.conf.py" "$home/gunicorn.conf.py"
# Each state of the page's files has a folder of its own: a page from before an upgrade finds its files.
[ -L "$home/static" ] && rm "$home/static"
hash=$(cd / && "$home/venv/bin/python" -c "$static_version")
mkdir -p "$home/static"
# It was served until now, however long ago it was installed.
if [ -n "$before" ] && [ -d "$home/static/$before" ]; then touch "$home/static/$before"; fi
find "$home/static" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -r {} +
rm -rf "$home/static/$hash"
cp -r "$installed/static" "$home/static/$hash"
# The command with the server's own settings; what touches its drawings and networks runs as its user.
cat >/usr/local/bin/digitre <<'END'
#!/bin/sh
# Who may not see the server's own network and drawings reads with the network that was installed.
if [ -r /var/lib/digitre ] && [ -r /etc/digitre.env ]; then
    DIGITRE_INSTANCE=/var/lib/digitre
    export DIGITRE_INSTANCE
    while IFS= read -r line; do
        case $line in
            [A-Z]*=*)
                value=${line#*=}
                # As systemd reads it: without the quotes around a value.
                case $value in
                    \"*\" | \'*\') value=${value#?} value=${value%?} ;;
                esac
                export "${line%%=*}=$value" ;;
        esac
    done </etc/digitre.env
fi
case ${1:-} in
    drawings | models | train)
        if [ "$(id -u)" = 0 ]; then
            exec runuser -u digitre -- /opt/digitre/venv/bin/digitre "$@"
        fi ;;
esac
exec /opt/digitre/venv/bin/digitre "$@"
END
chmod 755 /usr/local/bin/digitre
install -d -o digitre -g digitre -m 750 /var/lib/digitre

# It may hold a secret, and the database's password.
if [ ! -f /etc/digitre.env ]; then
    install -m 640 -o root -g digitre /dev/null /etc/digitre.env
    {
        echo "# Digitre's settings, one NAME=value a line: see the README's table."
        echo "DIGITRE_TRUSTED_HOSTS=$(echo "${host:-$known}" | tr -s ' ' ','),localhost"
    } >>/etc/digitre.env
fi

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

mkdir -p /etc/nginx/digitre.d /var/www/html
touch /etc/nginx/digitre.d/unlimited.conf
install -m 644 "$here/nginx-headers.conf" /etc/nginx/digitre.d/headers.conf
if [ ! -f "$site" ]; then
    sed "s/digits\.example\.org/$host/g" "$here/nginx.conf" >"$site"
    # A machine without IPv6 cannot listen there.
    [ -f /proc/net/if_inet6 ] || sed -i '/listen \[::\]/d' "$site"
fi
ln -sfn "$site" /etc/nginx/sites-enabled/digitre
# Debian's own page would answer for unknown hosts, as this site does.
if [ -L /etc/nginx/sites-enabled/default ]; then rm /etc/nginx/sites-enabled/default; fi
reload_nginx

listening=""
if has_systemd; then listening=$(systemctl show --value --property Listen digitre.socket); fi
if has_systemd && [ "${listening#*/run/digitre/digitre.sock}" = "$listening" ]; then
    say "the socket is at $listening, not behind this machine's nginx: ask /healthz there"
elif has_systemd; then
    name=${known:-$host}
    name=${name%% *}
    tries=0
    until "$home/venv/bin/python" - "$name" <<'END'
import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=5)
connection.request("GET", "/healthz", headers={"Host": sys.argv[1]})
status = connection.getresponse().status
sys.exit(status not in (200, 301))
END
    do
        tries=$((tries + 1))
        [ "$tries" -lt 15 ] || fail "it does not answer: journalctl -u digitre"
        sleep 1
    done
    say "http://$name/ answers"
fi
say "for TLS: certbot certonly --webroot -w /var/www/html -d your.host.name, then see $site"
