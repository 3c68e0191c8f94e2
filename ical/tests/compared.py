"""Expands rules of recurrence with other programs, for a test that compares.

`rules`: a rule per line of standard input, as name, local start, end and rule, with tabs between; answers with the
name and the local occurrences before the end, 300 at most. `calendar FILE FIRST LAST`: the occurrences of a calendar's
events between two days, as UID and start.
"""

import datetime as dt
import itertools
import signal
import sys

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr


def too_long(*_):
    raise TimeoutError


def rules():
    signal.signal(signal.SIGALRM, too_long)
    for line in sys.stdin:
        name, start, end, rule = line.rstrip("\n").split("\t")
        start, end = dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end)
        # Of a rule that makes nothing it would look until the year 9999.
        signal.alarm(2)
        try:
            found = itertools.takewhile(lambda at: at < end, rrulestr(rule, dtstart=start))
            times = [at.isoformat() for at in itertools.islice(found, 300)]
        except TimeoutError:
            times = []
        signal.alarm(0)
        print(name, ",".join(times), sep="\t")


def calendar(file, first, last):
    with open(file, "rb") as opened:
        read = icalendar.Calendar.from_ical(opened.read())
    first, last = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    for event in recurring_ical_events.of(read).between(first, last):
        start = event["DTSTART"].dt
        if isinstance(start, dt.datetime):
            start = start.astimezone(dt.timezone.utc).replace(tzinfo=None)
        print(event["UID"], start.isoformat(), sep="\t")


if __name__ == "__main__":
    {"rules": rules, "calendar": calendar}[sys.argv[1]](*sys.argv[2:])
