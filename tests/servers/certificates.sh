#!/bin/sh
# SPDX-License-Identifier: MIT
#
# certificates.sh DIRECTORY - makes a throw-away public key infrastructure with openssl (1.1.1 or newer).
#
#   ca.pem, ca.key          the authority that a client is told to trust
#   server.pem, server.key  for localhost, 127.0.0.1 and ::1
#   expired.pem             the same names, valid in January 2020 only
#   wronghost.pem           for another.example
#   rogue.pem               the right names, from an authority that nobody trusts
#
# All certificates share server.key. Does nothing if the files are there.
set -eu
export LC_ALL=C
umask 077

[ $# -eq 1 ] || { echo "usage: certificates.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
[ -s complete ] && exit 0

# Runs openssl quietly; its complaints are shown only if it fails.
tool() {
    openssl "$@" >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }
}

authority() {
    tool req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj "/CN=ringbearer tests: $1" -keyout "$1.key" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# certificate NAME AUTHORITY SUBJECT_ALT_NAME [START END]
# `openssl ca` because it alone takes a validity that lies in the past.
certificate() {
    cat >ca.cnf <<-CONFIG
	[ca]
	default_ca = main
	[main]
	database = index.txt
	rand_serial = yes
	new_certs_dir = .
	default_md = sha256
	default_days = 825
	unique_subject = no
	email_in_dn = no
	policy = names
	[names]
	commonName = supplied
	[server]
	basicConstraints = CA:FALSE
	keyUsage = digitalSignature
	extendedKeyUsage = serverAuth
	subjectAltName = $3
	CONFIG
    : >index.txt
    name=$1 issuer=$2
    shift 3
    [ $# -eq 0 ] || set -- -startdate "$1" -enddate "$2"
    tool ca -batch -notext -config ca.cnf -extensions server -in server.csr \
        -cert "$issuer.pem" -keyfile "$issuer.key" "$@" -out "$name.pem"
}

loopback=DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1
authority ca
authority rogue-ca
tool req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr
certificate server ca "$loopback"
certificate expired ca "$loopback" 20200101000000Z 20200201000000Z
certificate wronghost ca DNS:another.example
certificate rogue rogue-ca "$loopback"

rm -f index.txt* ca.cnf server.csr openssl.log [0-9A-F][0-9A-F]*.pem
chmod 644 ca.pem
echo yes >complete
