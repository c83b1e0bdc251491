#!/bin/sh
# SPDX-License-Identifier: MIT
# etcd-node.sh ARGUMENT …: a node of etcd that does not outlive who started it: it ends when our standard input does.
# Says "READY PID" once it runs.
set -u

etcd "$@" </dev/null >&2 &
pid=$!
echo "READY $pid"
cat >/dev/null
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
exit 0
