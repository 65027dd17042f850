#!/bin/sh
# Roles and databases, when Postgres makes its data folder.
set -eu
exec psql --username postgres --no-psqlrc --quiet --output /dev/null --file /roles.sql \
    --set "owner_password=$(cat /secrets/owner/password)" \
    --set "service_password=$(cat /secrets/service/password)" \
    --set "temporal_password=$(cat /secrets/temporal/password)" \
    postgres
