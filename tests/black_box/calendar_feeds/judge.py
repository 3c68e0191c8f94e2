"""Reads a calendar on standard input as the library `icalendar` does, and prints what it says (JSON)."""

import json
import sys
from datetime import timezone

from icalendar import Calendar

bytes_of_it = sys.stdin.buffer.read()
calendar = Calendar.from_ical(bytes_of_it)


def at(event, name):
    return event[name].dt.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(event, name):
    return str(event[name]) if name in event else None


def categories(event):
    return [str(one) for one in event["CATEGORIES"].cats] if "CATEGORIES" in event else None


events = [
    {
        "uid": text(event, "UID"),
        "start": at(event, "DTSTART"),
        "end": at(event, "DTEND"),
        "zone": event["DTSTART"].params.get("TZID"),
        "local": event["DTSTART"].dt.strftime("%H:%M"),
        "summary": text(event, "SUMMARY"),
        "location": text(event, "LOCATION"),
        "status": text(event, "STATUS"),
        "transp": text(event, "TRANSP"),
        "sequence": int(event["SEQUENCE"]),
        "stamp": at(event, "DTSTAMP"),
        "categories": categories(event),
        "has": sorted(event.keys()),
    }
    for event in calendar.walk("VEVENT")
]
print(json.dumps({
    # As it is written: it does not know that this is a text.
    "name": text(calendar, "NAME"),
    "zones": sorted(str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")),
    "errors": [str(error) for part in calendar.walk() for error in part.errors],
    "longest": max(len(line) for line in bytes_of_it.split(b"\r\n")),
    "events": events,
}))
