#!/bin/sh
# SPDX-License-Identifier: MIT
#
# keyring-session.sh [-m MODE] [-k DIRECTORY] [-a] COMMAND [ARGUMENT...]
#
# Runs COMMAND in a D-Bus session, a HOME and XDG directories of its own, with a real
# gnome-keyring-daemon as its Secret Service. The user's own are out of reach.
#
#   -m unlocked  (default) a new login keyring, open; its password is "password"
#   -m locked    the same with one item in it (attribute service=seed, secret "seeded"), then locked
#   -m empty     the daemon without any keyring: the first store would have to ask for a new one
#   -m none      a session bus without a Secret Service
#   -m nobus     no session bus: its address leads nowhere
#   -m mute      the Secret Service's name has an owner that never answers
#   -k DIRECTORY use DIRECTORY and keep it (else a temporary one, removed at the end)
#   -a           let the bus start services; otherwise a daemon that was killed stays away
#
# There is no display, so every prompt counts as dismissed. COMMAND finds in its environment, beside
# HOME, XDG_* and DBUS_SESSION_BUS_ADDRESS: KEYRING_MODE, KEYRING_DAEMON_PID, KEYRING_BUS_PID,
# KEYRING_LOG. The exit status is that of COMMAND, or 125 if the session did not come up.
# Needs dbus-daemon, dbus-send, gnome-keyring-daemon, secret-tool; node for mute.
# shellcheck disable=SC2317 # functions that a trap or an argument names
set -eu

here=$(dirname "$(readlink -f "$0")")
mode=unlocked keep='' services=''
while getopts m:k:a option; do
    case $option in
    m) mode=$OPTARG ;;
    k) keep=$OPTARG ;;
    a) services='<standard_session_servicedirs/>' ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '4s/^#/usage:/p' "$0" >&2; exit 2; }
case $mode in
unlocked | locked | empty | none | nobus | mute) ;;
*) echo "keyring-session: no mode $mode" >&2; exit 2 ;;
esac

dir=$keep service='' bus=''
[ -n "$dir" ] || dir=$(mktemp -d /tmp/keyring.XXXXXX)
mkdir -p "$dir"
dir=$(readlink -f "$dir")

end() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || :
    [ -z "$bus" ] || kill "$bus" 2>/dev/null || :
    wait
    [ -n "$keep" ] || rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
    echo "keyring-session: $1" >&2
    [ ! -s "$KEYRING_LOG" ] || cat "$KEYRING_LOG" >&2
    exit 125
}

# Up to 20 seconds.
wait_for() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 1000 ] || return 1
        sleep 0.02
    done
}

owned() {
    reply=$(dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets 2>/dev/null) || return 1
    [ "$reply" = '   boolean true' ]
}

start_bus() {
    cat >"$dir/bus.conf" <<-CONFIG
	<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
	 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig>
	  <type>session</type>
	  <listen>unix:path=$dir/run/bus</listen>
	  <auth>EXTERNAL</auth>
	  $services
	  <policy context="default">
	    <allow send_destination="*" eavesdrop="true"/>
	    <allow eavesdrop="true"/>
	    <allow own="*"/>
	  </policy>
	</busconfig>
	CONFIG
    rm -f "$dir/run/bus"
    dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile --nosyslog >>"$KEYRING_LOG" 2>&1 </dev/null &
    bus=$!
    wait_for test -S "$dir/run/bus" || fail 'the bus did not come up'
}

# The daemon takes all of its input as the password: no newline. It has to own its name before a
# client asks, or the bus (with -a) would start a second one.
start_service() {
    case $mode in
    unlocked | locked)
        printf %s password >"$dir/run/password"
        gnome-keyring-daemon --foreground --unlock --components=secrets \
            >>"$KEYRING_LOG" 2>&1 <"$dir/run/password" & ;;
    empty) gnome-keyring-daemon --foreground --components=secrets >>"$KEYRING_LOG" 2>&1 </dev/null & ;;
    mute) node "$here/mute-service.mjs" >>"$KEYRING_LOG" 2>&1 </dev/null & ;;
    none) return ;;
    esac
    service=$!
    wait_for owned || fail 'the Secret Service did not come up'
    rm -f "$dir/run/password"
}

lock_with_item() {
    printf %s seeded | secret-tool store --label=seed service seed || fail 'could not store the item'
    node "$here/keyring-control.mjs" lock || fail 'could not lock'
}

umask 077
for name in home data config cache run; do mkdir -p "$dir/$name"; done
export HOME="$dir/home" XDG_DATA_HOME="$dir/data" XDG_CONFIG_HOME="$dir/config"
export XDG_CACHE_HOME="$dir/cache" XDG_RUNTIME_DIR="$dir/run"
export KEYRING_MODE="$mode" KEYRING_LOG="$dir/keyring.log"
export DBUS_SESSION_BUS_ADDRESS="unix:path=$dir/run/bus"
unset GNOME_KEYRING_CONTROL GNOME_KEYRING_PID SSH_AUTH_SOCK DISPLAY WAYLAND_DISPLAY

if [ "$mode" = nobus ]; then
    DBUS_SESSION_BUS_ADDRESS="unix:path=$dir/run/no-such-bus"
else
    start_bus
    start_service
    [ "$mode" != locked ] || lock_with_item
fi
export KEYRING_DAEMON_PID="$service" KEYRING_BUS_PID="$bus"

status=0
"$@" || status=$?
exit "$status"
