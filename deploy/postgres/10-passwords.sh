#!/usr/bin/env bash
# Gives the roles of daybook's database their passwords, once, when the volume of docker-compose.yml is made: those of the
# environment, or those in the files that NAME_FILE names.
set -eu
password() {
    local file=$1_FILE
    if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!1}"; fi
}
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v owner="$(password DAYBOOK_DB_OWNER_PASSWORD)" -v app="$(password DAYBOOK_DB_APP_PASSWORD)" <<'SQL'
ALTER ROLE daybook_owner PASSWORD :'owner';
ALTER ROLE daybook_app PASSWORD :'app';
SQL
