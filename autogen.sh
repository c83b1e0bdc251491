#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes ./configure from configure.ac. Needs autoconf, automake and libtool.
set -eu
cd "$(dirname "$0")"
exec autoreconf --install --force
