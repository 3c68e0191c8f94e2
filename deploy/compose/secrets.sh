#!/bin/sh
# Makes the secrets of test.yml and prod.yml in a folder; what is there stays. `secrets.sh FOLDER [SERVERS]`: SERVERS are those of
# PostgreSQL (postgres:5432; for Kubernetes HOST:5432).
#
# Nobody but you gets into the folder. Each file can be read by all, because a container's user has another number: it is shown
# that file alone.
set -eu
folder=${1:?a folder for the secrets}
servers=${2:-postgres:5432}
if ! command -v openssl > /dev/null; then
    echo "secrets.sh: there is no openssl, of which the secrets are made" >&2
    exit 1
fi
mkdir -p "$folder"
chmod 700 "$folder"
make() {
    if [ ! -s "$folder/$1" ]; then
        cat > "$folder/$1"
        chmod 444 "$folder/$1"
    fi
}
chance() { openssl rand -hex "$1" | tr -d '\n'; }
for name in superuser owner app standby broker; do
    chance 24 | make "$name-password"
done
for role in app owner; do
    printf 'postgres://daybook_%s:%s@%s/daybook' "$role" "$(cat "$folder/$role-password")" "$servers" | make "$role-url"
done
# Without it, nobody reads what is personal. Keep a copy, away from copies of the database.
printf 'daybook-master-key-1:%s\n' "$(chance 32)" | make master-key
printf 'amqp://daybook:%s@broker:5672/%%2f' "$(cat "$folder/broker-password")" | make broker-url
printf 'default_user = daybook\ndefault_pass = %s\n' "$(cat "$folder/broker-password")" | make broker.conf
