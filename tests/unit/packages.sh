#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh SRCDIR BUILDDIR: what the packages of the distributions say is what packaging/facts says, and what configure asks for.
set -u
top=$1
count=0
failed=0
# shellcheck source=/dev/null # facts
. "$top/packaging/facts"

check() { # NAME COMMAND …
  count=$((count + 1))
  name=$1
  shift
  if said=$("$@" 2>&1); then
    echo "ok $count - $name"
  else
    echo "not ok $count - $name"
    echo "$said" | sed 's/^/# /'
    failed=$((failed + 1))
  fi
}

asked_for() { sed -n 's/^ *PKG_CHECK_MODULES(\[[A-Z0-9_]*\], \[\([a-z0-9-]*\).*/\1/p' "$top/configure.ac" | grep -vx cmocka | sort; }
configure_asks_for_the_modules() { [ "$(asked_for)" = "$(echo "$MODULES" | tr ' ' '\n' | sort)" ]; }

debian_builds_with_them() {
  for package in $BUILD_DEBIAN; do
    grep -q "^ $package,\$" "$top/packaging/debian/control" || { echo "$package is not in control"; return 1; }
    grep -q "need $package " "$top/packaging/install-deps" || { echo "$package is not in install-deps"; return 1; }
  done
}

each_list_names_all() {
  for list in "$BUILD_DEBIAN" "$BUILD_NIX" "$BUILD_BREW" "$DEPENDS_ARCH libsecret" "${BUILD_ALPINE% linux-headers}"; do
    # shellcheck disable=SC2086 # lists of words
    [ "$(set -- $list && echo $#)" = "$(set -- $MODULES && echo $#)" ] || { echo "$list"; return 1; }
  done
}

built() { # FAMILY: the modules that Makefiles name
  find "$top/helper/modules" -name Makefile.am -exec sed -n "s|.*pkglib_LTLIBRARIES += helper/modules/$1-\([a-z-]*\)\.la.*|\1|p" {} + | sort | xargs
}

modules_are_those_that_are_built() {
  for each in "grant $GRANTS" "input $INPUTS"; do
    [ "$(built "${each%% *}")" = "${each#* }" ] || { echo "${each%% *}: $(built "${each%% *}")"; return 1; }
  done
  [ "$(for name in $STORES; do echo "store-$name"; done | cat - "$scratch/desktop" | sort | xargs)" = \
    "$({ for name in $(built store); do echo "store-$name"; done; for name in $(built notice); do echo "notice-$name"; done; } | sort | xargs)" ] ||
    { echo "stores: $(built store); notices: $(built notice)"; return 1; }
}

debian_packs_the_modules() {
  folder='usr/lib/*/ringbearer'
  for name in $STORES; do echo "$folder/store-$name.so"; done >"$scratch/stores"
  grep "^usr/lib/.*/store-" "$top/packaging/debian/ringbearer.install" | cmp - "$scratch/stores" &&
    sed "s|.*|$folder/&.so|" "$scratch/desktop" | cmp - "$top/packaging/debian/ringbearer-secret-service.install"
}

debian_says_the_summary() {
  [ "$(grep -c "^Description: $SUMMARY" "$top/packaging/debian/control")" = "$(grep -c '^Package:' "$top/packaging/debian/control")" ]
}

symbols_are_those_of_the_map() {
  [ "$(sed -n 's/^ \(ringbearer_[a-z_]*\)@.*/\1/p' "$top/packaging/debian/libringbearer0.symbols" | sort)" = \
    "$(sed -n 's/^\t\(ringbearer_[a-z_]*\);$/\1/p' "$top/protocol/libringbearer.map" | sort)" ]
}

version_is_the_changelogs() {
  version=$(sed -n 's/^AC_INIT(\[ringbearer\], \[\(.*\)\])$/\1/p' "$top/configure.ac")
  grep -q "^ringbearer ($version-" "$top/packaging/debian/changelog" && grep -q "^## $version" "$top/NEWS.md"
}

licence_is_copyings() { sed -n '/^Permission/,$p' "$top/COPYING" | tr -d '\n' | cmp -s - "$scratch/licence"; }

every_word_of_the_templates_is_known() {
  printf x >"$scratch/ringbearer-0.tar.xz"
  "$top/packaging/make-packages" "$scratch/ringbearer-0.tar.xz" "$scratch/out" &&
    ! grep -nE '@[A-Z0-9_]+@|^ *depends_on ""|pkgconfig\(\)' "$scratch"/out/* && sh -n "$scratch/out/APKBUILD"
}

bill_of_materials_keeps_the_rules() {
  printf x >"$scratch/ringbearer-0.1.0.tar.xz"
  SOURCE_DATE_EPOCH=0 "$top/packaging/sbom" "$scratch/ringbearer-0.1.0.tar.xz" >"$scratch/sbom.json" && node "$top/tests/unit/sbom.mjs" "$scratch/sbom.json" &&
    [ "$(grep -c DYNAMIC_LINK "$scratch/sbom.json")" = "$(echo "$MODULES" | wc -w)" ]
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sed -n '/^ Permission/,$p' "$top/packaging/debian/copyright" | sed 's/^ //; s/^\.$//' | tr -d '\n' >"$scratch/licence"

for name in $DESKTOP; do echo "$name"; done >"$scratch/desktop"

echo 'TAP version 13'
check 'configure asks for the modules of the facts' configure_asks_for_the_modules
check 'Debian builds with them, and install-deps installs them' debian_builds_with_them
check 'every list names as many' each_list_names_all
check 'the modules are those that are built' modules_are_those_that_are_built
check 'Debian packs the modules' debian_packs_the_modules
check 'Debian says the summary' debian_says_the_summary
check 'the symbols are those of the library' symbols_are_those_of_the_map
check 'the version is that of the changelog and the news' version_is_the_changelogs
check 'the licence is that of COPYING' licence_is_copyings
check 'every word of the templates is filled in' every_word_of_the_templates_is_known
if command -v node >/dev/null 2>&1; then
  check "the bill of materials keeps SPDX's rules" bill_of_materials_keeps_the_rules
else
  count=$((count + 1))
  echo "ok $count - # SKIP the bill of materials: node is missing"
fi
echo "1..$count"
[ "$failed" = 0 ]
