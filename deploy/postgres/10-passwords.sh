#!/usr/bin/env bash
# Gives the roles of daybook's database their passwords, once, when the volume of docker-compose.yml is made.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v owner="$DAYBOOK_DB_OWNER_PASSWORD" -v app="$DAYBOOK_DB_APP_PASSWORD" <<'SQL'
ALTER ROLE daybook_owner PASSWORD :'owner';
ALTER ROLE daybook_app PASSWORD :'app';
SQL
