#!/bin/sh
# SPDX-License-Identifier: MIT
#
# session-keeper.sh - the command of a world's keyring session. It leaves the session's environment
# in session.env, says READY, and waits for the end of its input: that is when the test process
# closes it or dies. Then it kills what else still runs in this world, by its ids.
set -eu

cat /proc/self/environ >"$RINGBEARER_WORLD/session.env"
echo READY .
cat >/dev/null

files=$(grep -lz "^RINGBEARER_WORLD=$RINGBEARER_WORLD\$" /proc/[0-9]*/environ 2>/dev/null) || :
for file in $files; do
    pid=${file#/proc/}
    pid=${pid%/environ}
    case $pid in
    "$$" | "$PPID" | "$KEYRING_BUS_PID" | "$KEYRING_DAEMON_PID") ;;
    *) kill -KILL "$pid" 2>/dev/null || : ;;
    esac
done
