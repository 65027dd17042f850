#!/bin/sh
# Make every secret that is not there yet, one file each, in the folders below $1.
set -eu
root=$1

once() { # FILE COMMAND...: what the command prints becomes the file, whole or not at all
    file=$root/$1
    shift
    [ -s "$file" ] && return
    "$@" > "$file.new"
    # Each volume is mounted by its readers only, and they run as different users.
    chmod 444 "$file.new"
    mv "$file.new" "$file"
    echo "made $file"
}

random() { head -c "$1" /dev/urandom | base64 -w 0; }
password() { random 32 | tr '+/' '-_' | tr -d '='; }
key_ring() { printf 'k1:%s' "$(random 32)"; }

once owner/superuser password
once owner/password password
once service/password password
once temporal/password password
once keys/encryption-keys key_ring
