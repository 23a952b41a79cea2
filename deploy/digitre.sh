#!/bin/sh
# The command `digitre` on a server, with the server's own settings (deploy/install.sh puts it at
# /usr/local/bin/digitre). Run it as root: sudo digitre drawings list. Anyone who may not read the server's
# settings reads drawings with the network that came with the installation.
set -eu

settings=/etc/digitre.env
program=/opt/digitre/venv/bin/digitre

if [ -r "$settings" ] && [ -r /var/lib/digitre ]; then
    DIGITRE_INSTANCE=/var/lib/digitre
    export DIGITRE_INSTANCE
    if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
        # systemd reads the settings as it does for the server, and the shell that it starts quotes them.
        exports=$(systemd-run --quiet --wait --collect --pipe --same-dir \
            --property=EnvironmentFile="$settings" /bin/sh -c 'export -p')
        eval "$exports"
    else
        # systemd does this for root only.
        while IFS= read -r line; do
            case $line in
                [A-Z]*=*)
                    value=${line#*=}
                    case $value in
                        \"*\" | \'*\') value=${value#?} value=${value%?} ;;
                    esac
                    export "${line%%=*}=$value" ;;
            esac
        done <"$settings"
    fi
fi

# These read or change the server's drawings and networks: as its user, so that the server can use the files.
case ${1:-} in
    drawings | models | train | retrain | evaluate | report | teacher | baseline)
        if [ "$(id -u)" = 0 ]; then exec runuser -u digitre -- "$program" "$@"; fi ;;
esac
exec "$program" "$@"
