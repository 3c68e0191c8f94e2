"""Opens an export as Parquet with DuckDB and with pyarrow, and prints what each finds in it, as JSON."""

import json
import sys

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq


def with_duckdb(path):
    found = duckdb.connect()
    found.execute("SET TimeZone = 'UTC'")
    events = f"read_parquet('{path}')"
    count, first, last = found.execute(
        f"SELECT count(*), min(position), max(position) FROM {events}"
    ).fetchone()
    types = dict(
        found.execute(f"SELECT event_type, count(*) FROM {events} GROUP BY event_type").fetchall()
    )
    minutes, tags, tagged, resources = found.execute(
        f"""SELECT sum(date_diff('minute', start_at, end_at)), sum(len(tags)),
                   count(*) FILTER (list_contains(tags, 'a "quoted", tag')), sum(len(resource_ids))
              FROM {events} WHERE event_type = 'AppointmentBooked'"""
    ).fetchone()
    columns = {
        name: kind
        for name, kind, *_ in found.execute(f"DESCRIBE SELECT * FROM {events}").fetchall()
    }
    services = found.execute(
        f"SELECT count(DISTINCT data ->> '$.service_id') FROM {events} WHERE service_id IS NOT NULL"
    ).fetchone()[0]
    return {
        "count": count,
        "first": first,
        "last": last,
        "types": types,
        "minutes": minutes,
        "tags": tags,
        "tagged": tagged,
        "resources": resources,
        "services": services,
        "columns": columns,
    }


def with_pyarrow(path):
    table = pq.read_table(path)
    positions = table["position"]
    kinds = table["event_type"].value_counts().to_pylist()
    booked = table.filter(pc.equal(table["event_type"], "AppointmentBooked"))
    lasted = pc.minutes_between(booked["start_at"], booked["end_at"])
    tags = booked["tags"].combine_chunks()
    services = pc.drop_null(table["service_id"])
    return {
        "count": table.num_rows,
        "first": pc.min(positions).as_py(),
        "last": pc.max(positions).as_py(),
        "types": {kind["values"]: kind["counts"] for kind in kinds},
        "minutes": pc.sum(lasted).as_py(),
        "tags": pc.sum(pc.list_value_length(tags)).as_py(),
        "tagged": pc.sum(pc.equal(tags.flatten(), 'a "quoted", tag')).as_py(),
        "resources": pc.sum(pc.list_value_length(booked["resource_ids"])).as_py(),
        "services": pc.count_distinct(services).as_py(),
        "columns": {field.name: str(field.type) for field in table.schema},
    }


if __name__ == "__main__":
    path = sys.argv[1]
    print(json.dumps({"duckdb": with_duckdb(path), "pyarrow": with_pyarrow(path)}))
