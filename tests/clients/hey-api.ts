// Books, lists, compares and reads every GET with the client that @hey-api/openapi-ts makes of the OpenAPI document. What
// it gets is used as its type says: there is no cast, and `tsc --strict` takes it.

import * as daybook from "./daybook/index.js";
import { client as transport } from "./daybook/client.gen.js";

const [baseUrl, key, operatorKey] = process.argv.slice(2);
if (baseUrl === undefined || key === undefined || operatorKey === undefined) {
  throw new Error("usage: hey-api.js URL KEY OPERATOR-KEY");
}
transport.setConfig({ baseUrl, auth: key });

interface Answer<T> { data?: T; error?: unknown; response?: Response }

function had<T>({ data, error, response }: Answer<T>): T {
  if (data === undefined) throw new Error(`${response?.url}: ${response?.status} ${JSON.stringify(error)}`);
  return data;
}

const day = (after: number) => new Date(Date.now() + after * 86_400_000).toISOString().slice(0, 10);
const [from, to] = [day(7), day(13)];
const path = (id: string) => ({ path: { id } });

const room = had(await daybook.registerResource({
  body: {
    name: "A room", kind: "room", time_zone: "UTC",
    weekly_hours: [{ days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "00:00", to: "24:00" }],
  },
}));
const needs = [{ role: "room", kind: "room" as const }];
const service = had(await daybook.defineService({
  body: { name: "A visit", category: "visit", duration_minutes: 30, needs },
}));
const lesson = had(await daybook.defineService({
  body: { name: "A class", category: "class", duration_minutes: 30, session_places: 1, needs },
}));
const client = had(await daybook.registerClient({ body: { name: "A client" } }));
const made = had(await daybook.addResourceException({
  ...path(room.id), body: { kind: "time-off", days: { first: day(300), last: day(301) } },
}));
if (!("id" in made)) throw new Error("it was not a dry run");
const exception = made;

const free = had(await daybook.getAvailability({
  query: { service_id: service.id, from, to, tz: "UTC", limit: 3 },
}));
const start_at = free.slots?.[0]?.start_at;
if (start_at === undefined) throw new Error("nothing is free");
const booked = had(await daybook.createAppointment({
  body: { service_id: service.id, client_id: client.id, start_at },
}));
const tagged = had(await daybook.changeAppointment({ ...path(booked.id), body: { tags: ["first"] } }));
const session = had(await daybook.scheduleSession({
  body: { service_id: lesson.id, start_at: `${day(8)}T10:00:00Z` },
}));
had(await daybook.bookPlace({ ...path(session.id), body: { client_id: client.id } }));
const waiting = had(await daybook.joinWaitingList({
  body: { service_id: lesson.id, client_id: client.id, from, to, time_zone: "UTC" },
}));
const series = had(await daybook.bookSeries({
  body: {
    service_id: service.id, client_id: client.id, dtstart: `${day(20)}T09:00`, time_zone: "UTC", rrule: "FREQ=DAILY;COUNT=2",
  },
}));

const calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//clients//EN\r\nEND:VCALENDAR\r\n";
const imported = had(await daybook.beginImport({ body: { file: new Blob([calendar], { type: "text/calendar" }) } }));

had(await daybook.live());
had(await daybook.ready());
had(await daybook.getAgenda({ query: { resource_id: room.id, date: from, view: "week" } }));
had(await daybook.diffAgenda({ query: { resource_id: room.id, date: from, view: "week", from: "position:1" } }));
const position = had(await daybook.listEvents({ query: { limit: 1 } })).head;
const page = had(await daybook.listAppointments({ query: { min_position: position, limit: 200 } }));
const titles: string[] = page.items.map((item) => item.title ?? "");
had(await daybook.getAppointment(path(booked.id)));
const changed = had(await daybook.diffAppointment({ ...path(booked.id), query: { from: "position:1" } }));
had(await daybook.listAppointmentEvents(path(booked.id)));
had(await daybook.listClients());
had(await daybook.getClient(path(client.id)));
had(await daybook.getClientHistory(path(client.id)));
had(await daybook.listConflicts());
const events = had(await daybook.listEvents({ query: { limit: 1_000 } }));
const exported = had(await daybook.exportEvents({ query: { format: "csv" }, parseAs: "text" }));
const { stream } = await daybook.streamEvents();
for await (const event of stream) {
  if (event !== undefined) break;
}
had(await daybook.readImport(path(imported.id)));
const { items: [ownKey] } = had(await daybook.listKeys());
if (ownKey === undefined) throw new Error("no key");
had(await daybook.getKey(path(ownKey.id)));
const issuer = had(await daybook.addIssuer({
  body: {
    issuer: "https://login.example.org", audience: room.id, algorithms: ["RS256"],
    grants: [{ claim: "scope", value: "read", scopes: ["availability"] }],
  },
}));
had(await daybook.listIssuers());
had(await daybook.listBrowserSessions());
had(await daybook.getIssuer(path(issuer.id)));
had(await daybook.listPrograms({ auth: operatorKey }));
had(await daybook.listProjections());
had(await daybook.listResources());
had(await daybook.getResource(path(room.id)));
had(await daybook.getResourceException({ path: { id: room.id, exception_id: exception.id } }));
had(await daybook.getOpeningHours({ ...path(room.id), query: { from, to } }));
had(await daybook.getSeries(path(series.id)));
had(await daybook.listServices());
had(await daybook.getService(path(service.id)));
had(await daybook.listSessions());
had(await daybook.getSession(path(session.id)));
had(await daybook.listPlaces(path(session.id)));
had(await daybook.readSettings());
had(await daybook.getUtilisation({ query: { from, to } }));
had(await daybook.listWaiting());
had(await daybook.getWaiting(path(waiting.id)));

console.log(JSON.stringify({
  booked: tagged.id, titles, changes: changed.changes?.map((change) => change.field),
  events: events.items.length, exported: String(exported).split("\n").length > 2,
}));
process.exit(0);
