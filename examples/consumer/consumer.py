"""Keeps a copy of what has happened in a database of its own (SQLite), from a queue that daybook's relay fills.

Each event has its effect exactly once, whatever is killed when: what was seen is kept in the transaction of the effect, and
a message is acknowledged after that. Positions of a tenant's log have no gaps, so a copy that has taken 1, 2, 3, ... has all. One that is
ahead of its turn is left: the relay publishes it again after those that the broker has refused. Where one stays missing, this stops and says which.
"""

import argparse
import json
import sqlite3
import sys
import time

import pika
from pika.exceptions import AMQPError

EXCHANGE = "daybook"

SCHEMA = """
    CREATE TABLE IF NOT EXISTS inbox (source TEXT PRIMARY KEY, position INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS appointments (
        source TEXT, subject TEXT, last_event TEXT NOT NULL, events INTEGER NOT NULL, PRIMARY KEY (source, subject));
"""


class Missing(Exception):
    """An event did not come."""


class Copy:
    def __init__(self, path, patience):
        self.database = sqlite3.connect(path)
        self.database.executescript(SCHEMA)
        self.patience = patience
        # By source: since when later events come than the one that is next.
        self.ahead_since = {}

    def take(self, event):
        """The effect of an event, once and in its turn."""
        source, position = event["source"], int(event["id"])
        with self.database:
            row = self.database.execute("SELECT position FROM inbox WHERE source = ?", [source]).fetchone()
            seen = row[0] if row else 0
            if position <= seen:
                return
            if position != seen + 1:
                self.is_ahead(source, seen, position)
                return
            self.ahead_since.pop(source, None)
            if event["subject"].startswith("appointment/"):
                self.database.execute(
                    """INSERT INTO appointments VALUES (?1, ?2, ?3, 1) ON CONFLICT DO UPDATE
                          SET last_event = ?3, events = events + 1""",
                    [source, event["subject"], event["type"]],
                )
            self.database.execute(
                "INSERT INTO inbox VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2", [source, position]
            )

    def is_ahead(self, source, seen, position):
        since = self.ahead_since.setdefault(source, time.monotonic())
        if time.monotonic() - since > self.patience:
            raise Missing(f"{source}: after {seen} comes {position}")


def declare(channel, queue):
    """A queue of its own, on several machines where there are several, with one reader at a time, so that it reads in order."""
    channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
    arguments = {"x-queue-type": "quorum", "x-single-active-consumer": True}
    channel.queue_declare(queue, durable=True, arguments=arguments)
    channel.queue_bind(queue, EXCHANGE, routing_key="#")


def consume(options, copy):
    """Reads until nothing has come for as long as was asked for."""
    connection = pika.BlockingConnection(pika.URLParameters(options.amqp_url))
    channel = connection.channel()
    declare(channel, options.queue)
    channel.basic_qos(prefetch_count=200)
    print("reading", flush=True)
    for method, _, body in channel.consume(options.queue, inactivity_timeout=options.idle):
        if method is None:
            connection.close()
            return
        copy.take(json.loads(body))
        channel.basic_ack(method.delivery_tag)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--amqp-url", required=True)
    arguments.add_argument("--queue", default="copy")
    arguments.add_argument("--database", default="copy.sqlite")
    arguments.add_argument("--patience", type=float, default=60, help="seconds to wait for an event that is missing")
    arguments.add_argument("--idle", type=float, help="end when nothing has come for so many seconds [default: never]")
    options = arguments.parse_args()
    copy = Copy(options.database, options.patience)
    while True:
        try:
            consume(options, copy)
            return
        except Missing as missing:
            sys.exit(f"an event is missing: {missing}")
        except (AMQPError, OSError) as away:
            print(f"the broker is away: {type(away).__name__}", file=sys.stderr, flush=True)
            time.sleep(0.5)


if __name__ == "__main__":
    main()
