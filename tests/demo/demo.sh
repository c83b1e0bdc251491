#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh SRCDIR BUILDDIR: the main job, for real, on this machine: an authorization server, a private keyring, an
# account, a protected call, an expiry, a renewal, a regenerated secret, an API key, a login with rotation. The accounts
# have names of their own, since cached tokens are the user's. Each step shows the command that a
# person would type, runs it, and shows what it printed. Nothing of the user's own is touched.
set -eu

if [ "${1:-}" != --inside ]; then
  srcdir=$(cd "$1" && pwd)
  builddir=$(cd "$2" && pwd)
  exec "$srcdir/tests/servers/keyring-session.sh" "$0" --inside "$srcdir" "$builddir"
fi
srcdir=$2
builddir=$3
work=$HOME/demo
mkdir -p "$work/bin"
ln -s "$builddir/helper/ringbearer" "$work/bin/ringbearer"
PATH=$work/bin:$PATH
RINGBEARER_MODULE_DIR=$builddir/helper/modules/.libs
RINGBEARER_PROVIDER_DIR=$srcdir/helper/providers
export PATH RINGBEARER_MODULE_DIR RINGBEARER_PROVIDER_DIR
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$(printf '\033[1m')
  plain=$(printf '\033[0m')
fi

server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || :
}
trap finish EXIT
ACCESS_TTL=4 node "$srcdir/tests/servers/authorization-server.mjs" "$work/ca" --stay >"$work/ready" 2>"$work/server.log" &
server=$!
tries=0
until grep -q ^READY "$work/ready"; do
  tries=$((tries + 1))
  if [ $tries -gt 1200 ] || ! kill -0 $server 2>/dev/null; then
    echo "demo: the test server did not come up within a minute; it said:" >&2
    grep -v "Unsupported runtime" "$work/server.log" >&2
    exit 1
  fi
  sleep 0.05
done
address() { # the URL that the server has for $1
  sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" "$work/ready"
}
CA=$(address ca)
API=$(address a)
SONDE=$(address b)
TENANT=${API#https://}
export CA API SONDE TENANT
ID=fixture-a-machine-0000000000000000
export ID

say() { printf '\n%s# %s%s\n' "$bold" "$1" "$plain"; }
step() { # the command as typed; it may fail where the story wants it to
  printf '%s$ %s%s\n' "$bold" "$1" "$plain"
  sh -c "$1" || printf '(exit status %s)\n' $?
}
control() { # PATH JSON: what an administrator does in the service's own pages
  curl -sS -o /dev/null -d "$2" "$(address control)$1"
}
segments() {
  # shellcheck disable=SC2016 # shown as typed
  step 'ringbearer get --account=demo-acme --format=header | curl -sS --cacert $CA -H @- $API/rest/v2/segments; echo'
}

cd "$work"
printf %s not-a-secret-machine-0000000000000 >secret
printf %s sk_live_fixture_devices_read_0000 >key

say 'An account at a service that ringbearer knows. The secret goes into the keyring, the rest into a file.'
# shellcheck disable=SC2016
step 'ringbearer add demo-acme --provider=blueconic --tenant=$TENANT --grant=client_credentials --client-id=$ID --ca-file=$CA --secret-stdin <secret'
# shellcheck disable=SC2016
step 'cat $XDG_CONFIG_HOME/ringbearer/accounts/demo-acme'

say 'A token for a protected call: the first one comes from the server …'
segments
say '… and the next from the kernel keyring, in about the time of an empty program.'
segments
step 'ringbearer list'

say 'Any program that speaks git'"'"'s credential protocol is served by the place it wants to reach.'
# shellcheck disable=SC2016
step 'printf "capability[]=authtype\nprotocol=https\nhost=$TENANT\npath=rest/v2/segments\n\n" | ringbearer get | sed "s/\(credential=......\).*/\1…/"'

say 'The token expires (here after 4 seconds): nobody notices.'
sleep 5
segments

say 'The service'"'"'s administrator regenerates the secret. The old one is refused, and the message says what to do.'
control /regenerate "{\"tenant\":\"a\",\"client_id\":\"$ID\"}"
step 'ringbearer refresh demo-acme'
control /app "{\"tenant\":\"a\",\"client_id\":\"$ID\",\"client_secret\":\"not-a-secret-but-a-new-one\"}"
printf %s not-a-secret-but-a-new-one >secret
step 'ringbearer secret demo-acme --secret-stdin <secret'
segments

say 'An API key of another service, kept and handed out the same way.'
# shellcheck disable=SC2016
step 'ringbearer add demo-sonde --provider=bluesonde --grant=api_key --match=$SONDE/v1/ --secret-stdin <key'
# shellcheck disable=SC2016
step 'ringbearer get --url=$SONDE/v1/devices --format=header | curl -sS --cacert $CA -H @- $SONDE/v1/devices; echo'

say 'A person logs in: a browser opens, they consent, and the refresh token goes into the keyring. (A program plays both here.)'
cat >"$work/bin/browser" <<END
#!/bin/sh
exec node "$srcdir/tests/e2e/lib/open-url.mjs" '{"ca":"$CA","user":"operator","password":"operator-password","answer":"allow","log":"$work/visits"}' "\$1"
END
chmod +x "$work/bin/browser"
BROWSER=$work/bin/browser
export BROWSER
# shellcheck disable=SC2016
step 'ringbearer add demo-field --provider=oidc --issuer=$SONDE --grant=authorization_code --client-auth=none --client-id=fixture-b-device-cli --redirect-uri=http://127.0.0.1/callback --scope="devices:read offline_access" --match=$SONDE/v1/ --ca-file=$CA'
step 'ringbearer login demo-field 2>&1 | cut -c1-100'
# shellcheck disable=SC2016
step 'ringbearer get --account=demo-field --format=header | curl -sS --cacert $CA -H @- $SONDE/v1/devices; echo'

say 'Each renewal uses the refresh token up and brings the next one, which is stored and read back before anything else.'
step 'ringbearer refresh demo-field && ringbearer refresh demo-field && ringbearer list'

say 'Logging out: the service forgets the refresh token, and so does the keyring.'
step 'ringbearer logout demo-field; ringbearer token demo-field | cat'

say 'The keyring is locked: the cached token still serves; a renewal says what is in the way.'
step 'ringbearer refresh demo-acme'
node "$srcdir/tests/servers/keyring-control.mjs" lock
segments
step 'ringbearer refresh demo-acme'
node "$srcdir/tests/servers/keyring-control.mjs" unlock password

say 'How things stand, and the end.'
step 'ringbearer list'
step 'ringbearer remove demo-acme && ringbearer remove demo-sonde && ringbearer remove demo-field && ringbearer list'
