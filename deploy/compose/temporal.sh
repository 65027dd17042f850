#!/bin/sh
# Temporal's own entry point, with the password of a file.
set -eu
POSTGRES_PWD=$(cat /secrets/temporal/password)
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh "$@"
