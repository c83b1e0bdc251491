#!/bin/sh
# SPDX-License-Identifier: MIT
# etcd-certificates.sh DIRECTORY: a throw-away authority for a cluster of etcd on loopback.
#
#   ca.pem                  the authority
#   node.pem, node.key      of a node: for its clients, for its peers, and for its gateway, which is a client of its own
#   client.pem, client.key  of a machine
#   rogue-ca.pem, stranger.pem, stranger.key   an authority that nobody trusts, and a machine's certificate from it
set -eu
export LC_ALL=C
umask 077

[ $# -eq 1 ] || { echo "usage: etcd-certificates.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
cd "$1"

tool() {
    openssl "$@" >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }
}

authority() { # NAME
    tool req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj "/CN=ringbearer tests: etcd's $1" -keyout "$1.key" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

certificate() { # NAME AUTHORITY SUBJECT USAGE
    tool req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$1.key" -out "$1.csr"
    cat >"$1.cnf" <<-CONFIG
	basicConstraints = CA:FALSE
	keyUsage = digitalSignature
	extendedKeyUsage = $4
	subjectAltName = DNS:localhost,IP:127.0.0.1
	CONFIG
    tool x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 825 -extfile "$1.cnf" -out "$1.pem"
    rm -f "$1.csr" "$1.cnf"
}

authority ca
authority rogue-ca
# Without a common name: etcd's gateway may not have one where clients must show a certificate.
certificate node ca "/O=ringbearer tests" serverAuth,clientAuth
certificate client ca "/CN=machine" clientAuth
certificate stranger rogue-ca "/CN=stranger" clientAuth
rm -f openssl.log ./*.srl
