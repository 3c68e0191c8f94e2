"""What the library `caldav` finds of whom it is told (JSON), who begin where they ask who they are; prints it (JSON)."""

import json
import sys
from datetime import datetime

import caldav

said = json.load(sys.stdin)


def at(name):
    return datetime.fromisoformat(said[name].replace("Z", "+00:00"))


def uids(found):
    return sorted(str(event.icalendar_component["UID"]) for event in found)


with caldav.DAVClient(url=said["url"], username="staff", password=said["password"]) as client:
    calendars = client.principal().calendars()
    calendar = calendars[0]
    print(json.dumps({
        "calendars": [each.get_display_name() for each in calendars],
        "components": calendar.get_supported_components(),
        "all": uids(calendar.events()),
        "some": uids(calendar.search(start=at("from"), end=at("to"), event=True, expand=False)),
    }))
