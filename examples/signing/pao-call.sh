#!/usr/bin/env bash
# Call PAO with the AWS credentials of the environment: pao-call.sh METHOD PATH [BODY]
set -euo pipefail

method=$1 target=$2 body=${3-}
url=${PAO_URL%/}
region=${PAO_REGION:-us-east-1}
server_id=${PAO_SERVER_ID:-$url}
sts=${PAO_STS_URL:-https://sts.$region.amazonaws.com}

hash() { openssl dgst -sha256 -r | cut -d' ' -f1; }
hmac() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -r | cut -d' ' -f1; }

path=${target%%\?*} query=
[[ $target == *\?* ]] && query=${target#*\?}
request_hash=$(printf '%s\n%s\n%s\n%s' "$method" "$path" "$query" "$(printf %s "$body" | hash)" | hash)

date=$(date -u +%Y%m%dT%H%M%SZ) day=$(date -u +%Y%m%d)
nonce=$(openssl rand -hex 24)
token=${AWS_SESSION_TOKEN-}
action='Action=GetCallerIdentity&Version=2011-06-15'
names='accept;content-type;host;x-amz-date;'
token_line=
if [[ -n $token ]]; then
  names+='x-amz-security-token;'
  token_line="x-amz-security-token:$token"$'\n'
fi
names+='x-pao-nonce;x-pao-request-sha256;x-pao-server-id'

canonical="POST
/

accept:application/json
content-type:application/x-www-form-urlencoded; charset=utf-8
host:${sts#*://}
x-amz-date:$date
${token_line}x-pao-nonce:$nonce
x-pao-request-sha256:$request_hash
x-pao-server-id:$server_id

$names
$(printf %s "$action" | hash)"
scope="$day/$region/sts/aws4_request"
to_sign="AWS4-HMAC-SHA256
$date
$scope
$(printf %s "$canonical" | hash)"

key=$(printf %s "AWS4$AWS_SECRET_ACCESS_KEY" | od -An -tx1 | tr -d ' \n')
for part in "$day" "$region" sts aws4_request; do key=$(hmac "$key" "$part"); done
signature=$(hmac "$key" "$to_sign")

authorization="AWS4-HMAC-SHA256 Credential=$AWS_ACCESS_KEY_ID/$scope, SignedHeaders=$names, Signature=$signature"
proof="{\"authorization\":\"$authorization\",\"date\":\"$date\",\"nonce\":\"$nonce\""
[[ -n $token ]] && proof+=",\"token\":\"$token\""
proof+='}'
header=$(printf %s "$proof" | base64 | tr -d '\n=' | tr '+/' '-_')

curl -sS -X "$method" -H "X-PAO-STS: $header" -H 'Content-Type: application/json' \
  ${body:+--data-binary "$body"} "$url$target"
echo
