#!/usr/bin/env bash
# A standby of the service `postgres`: a copy of it, made at the first start, that follows it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$(cat /run/secrets/standby-password)
    export PGPASSWORD
    # What a copy that was broken off has left is made again.
    find "$PGDATA" -mindepth 1 -delete
    pg_basebackup --host=postgres --username=standby --pgdata="$PGDATA" --wal-method=stream --checkpoint=fast \
        --create-slot --slot=standby --write-recovery-conf ||
        pg_basebackup --host=postgres --username=standby --pgdata="$PGDATA" --wal-method=stream --checkpoint=fast \
            --slot=standby --write-recovery-conf
    chmod 700 "$PGDATA"
fi
exec postgres "$@"
