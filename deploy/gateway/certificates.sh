#!/usr/bin/env bash
# Makes an authority of our own and a certificate of the gateway by it. Run again to renew the certificate before it ends:
# the authority stays, so the bot needs nothing new.
#
#   certificates.sh FOLDER [NAME or ADDRESS of the gateway …]      127.0.0.1 and localhost are always in it
#
# For the bot: ca.pem (GATEWAY_TLS_CA). For the gateway: gateway.pem, gateway.key. Keep ca.key away from both.
set -euo pipefail
umask 077

AUTHORITY_DAYS=3650
CERTIFICATE_DAYS=825

[ $# -ge 1 ] || { echo "usage: $0 FOLDER [NAME or ADDRESS of the gateway …]" >&2; exit 2; }
command -v openssl >/dev/null || { echo "openssl is missing: apt-get install openssl" >&2; exit 2; }
folder=$1; shift
mkdir -p "$folder"
new=$(mktemp -d "$folder/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT

names="DNS:localhost,IP:127.0.0.1"
for name in "$@"; do
  case $name in
    *[!A-Za-z0-9.:-]* | '') echo "no name of a host: $name" >&2; exit 2 ;;
    *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) names="$names,IP:$name" ;;
    *) names="$names,DNS:$name" ;;
  esac
done

if [ ! -f "$folder/ca.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days "$AUTHORITY_DAYS" \
    -subj "/CN=lingban gateway authority" -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$new/ca.key" -out "$new/ca.pem" 2>/dev/null
  mv "$new/ca.key" "$new/ca.pem" "$folder/"
fi
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "/CN=lingban gateway" \
  -keyout "$new/gateway.key" -out "$new/gateway.csr" 2>/dev/null
cat >"$new/extensions" <<END
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=$names
END
openssl x509 -req -in "$new/gateway.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -days "$CERTIFICATE_DAYS" \
  -extfile "$new/extensions" -out "$new/gateway.pem" 2>/dev/null
openssl verify -CAfile "$folder/ca.pem" "$new/gateway.pem" >/dev/null
mv "$new/gateway.key" "$new/gateway.pem" "$folder/"
chmod 755 "$folder" # the keys in it are for their owner alone
chmod 644 "$folder/ca.pem" "$folder/gateway.pem"
echo "written: $folder/ca.pem (bot: GATEWAY_TLS_CA), $folder/gateway.pem and $folder/gateway.key (gateway)"
openssl x509 -in "$folder/gateway.pem" -noout -enddate -ext subjectAltName
