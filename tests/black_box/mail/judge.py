"""What the library icalendar reads in a message, which comes on standard input: as a line of JSON.

What RFC 6047 and RFC 5545 ask for and a library puts up with is looked at here: the method of the part, and lines of at most
75 octets that end no character in the middle.
"""

import email
import email.policy
import json
import sys
from datetime import timezone

from icalendar import Calendar

message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
kinds = [part.get_content_type() for part in message.walk()]
(part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
content = part.get_payload(decode=True)
assert b"\n" not in content.replace(b"\r\n", b""), content
for line in content.split(b"\r\n"):
    assert len(line) <= 75, line
    line.decode("utf-8")

calendar = Calendar.from_ical(content)
assert not calendar.errors, calendar.errors
(event,) = calendar.walk("VEVENT")
assert not event.errors, event.errors
attendee, organizer = event["ATTENDEE"], event["ORGANIZER"]


def instant(name):
    time = event.decoded(name).astimezone(timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


print(
    json.dumps(
        {
            "kinds": kinds,
            "mime_method": part.get_param("method"),
            "charset": part.get_content_charset(),
            "from": message["from"].addresses[0].addr_spec,
            "method": str(calendar["METHOD"]),
            "uid": str(event["UID"]),
            "sequence": int(event["SEQUENCE"]),
            "stamp": instant("DTSTAMP"),
            "start": instant("DTSTART"),
            "end": instant("DTEND"),
            "zones": [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")],
            "status": str(event["STATUS"]),
            "summary": str(event["SUMMARY"]),
            "location": str(event.get("LOCATION", "")),
            "organizer": str(organizer).removeprefix("mailto:"),
            "attendee": str(attendee).removeprefix("mailto:"),
            "name": attendee.params.get("CN", ""),
            "calendar": content.decode("utf-8"),
        }
    )
)
