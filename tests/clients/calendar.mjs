// What ical.js, which Thunderbird reads calendars with, reads in one that comes on standard input: as a line of JSON. Zones are
// those that the calendar defines itself.
import { readFileSync } from 'node:fs';

import ICAL from 'ical.js';

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, 'utf8')));
for (const zone of calendar.getAllSubcomponents('vtimezone')) {
  ICAL.TimezoneService.register(zone);
}
const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent'));
const instant = (time) => time.toJSDate().toISOString().replace('.000Z', 'Z');
const attendee = event.component.getFirstProperty('attendee');
console.log(
  JSON.stringify({
    method: calendar.getFirstPropertyValue('method'),
    uid: event.uid,
    sequence: event.sequence,
    stamp: instant(event.component.getFirstPropertyValue('dtstamp')),
    start: instant(event.startDate),
    end: instant(event.endDate),
    zones: calendar.getAllSubcomponents('vtimezone').map((zone) => zone.getFirstPropertyValue('tzid')),
    status: event.component.getFirstPropertyValue('status'),
    summary: event.summary,
    location: event.location ?? '',
    organizer: event.organizer.replace('mailto:', ''),
    attendee: attendee.getFirstValue().replace('mailto:', ''),
    name: attendee.getParameter('cn') ?? '',
  }),
);
