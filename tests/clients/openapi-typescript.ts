// Books, lists, compares and reads every GET with types that openapi-typescript makes of the OpenAPI document. What it
// gets is used as its type says: there is no cast, and `tsc --strict` takes it.

import createClient from "openapi-fetch";
import type { paths } from "./daybook.js";

const [baseUrl, key, operatorKey] = process.argv.slice(2);
if (baseUrl === undefined || key === undefined || operatorKey === undefined) {
  throw new Error("usage: openapi-typescript.js URL KEY OPERATOR-KEY");
}

const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const operator = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${operatorKey}` } });

function had<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const day = (after: number) => new Date(Date.now() + after * 86_400_000).toISOString().slice(0, 10);
const [from, to] = [day(7), day(13)];

const room = had(await api.POST("/v1/resources", {
  body: {
    name: "A room", kind: "room", time_zone: "UTC",
    weekly_hours: [{ days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "00:00", to: "24:00" }],
  },
}));
const service = had(await api.POST("/v1/services", {
  body: { name: "A visit", category: "visit", duration_minutes: 30, needs: [{ role: "room", kind: "room" }] },
}));
const lesson = had(await api.POST("/v1/services", {
  body: {
    name: "A class", category: "class", duration_minutes: 30, session_places: 1,
    needs: [{ role: "room", kind: "room" }],
  },
}));
const client = had(await api.POST("/v1/clients", { body: { name: "A client" } }));
const made = had(await api.POST("/v1/resources/{id}/exceptions", {
  params: { path: { id: room.id } },
  body: { kind: "time-off", days: { first: day(300), last: day(301) } },
}));
if (!("id" in made)) throw new Error("it was not a dry run");
const exception = made;

const free = had(await api.GET("/v1/availability", {
  params: { query: { service_id: service.id, from, to, tz: "UTC", limit: 3 } },
}));
const start_at = free.slots?.[0]?.start_at;
if (start_at === undefined) throw new Error("nothing is free");
const booked = had(await api.POST("/v1/appointments", {
  body: { service_id: service.id, client_id: client.id, start_at },
}));
const tagged = had(await api.PATCH("/v1/appointments/{id}", {
  params: { path: { id: booked.id } }, body: { tags: ["first"] },
}));
const session = had(await api.POST("/v1/sessions", { body: { service_id: lesson.id, start_at: `${day(8)}T10:00:00Z` } }));
had(await api.POST("/v1/sessions/{id}/appointments", {
  params: { path: { id: session.id } }, body: { client_id: client.id },
}));
const waiting = had(await api.POST("/v1/waiting-list", {
  body: { service_id: lesson.id, client_id: client.id, from, to, time_zone: "UTC" },
}));
const series = had(await api.POST("/v1/series", {
  body: {
    service_id: service.id, client_id: client.id, dtstart: `${day(20)}T09:00`, time_zone: "UTC", rrule: "FREQ=DAILY;COUNT=2",
  },
}));

const imported = had(await api.POST("/v1/imports", {
  headers: { "Content-Type": "text/calendar" }, bodySerializer: (body) => body,
  body: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//clients//EN\r\nEND:VCALENDAR\r\n",
}));

const path = (id: string) => ({ params: { path: { id } } });
had(await api.GET("/livez", { parseAs: "text" }));
had(await api.GET("/readyz"));
had(await api.GET("/v1/agenda", { params: { query: { resource_id: room.id, date: from, view: "week" } } }));
had(await api.GET("/v1/agenda/diff", {
  params: { query: { resource_id: room.id, date: from, view: "week", from: "position:1" } },
}));
const position = had(await api.GET("/v1/events", { params: { query: { limit: 1 } } })).head;
const page = had(await api.GET("/v1/appointments", { params: { query: { min_position: position, limit: 200 } } }));
const titles: string[] = page.items.map((item) => item.title ?? "");
had(await api.GET("/v1/appointments/{id}", path(booked.id)));
const changed = had(await api.GET("/v1/appointments/{id}/diff", {
  params: { path: { id: booked.id }, query: { from: "position:1" } },
}));
had(await api.GET("/v1/appointments/{id}/events", path(booked.id)));
had(await api.GET("/v1/clients"));
had(await api.GET("/v1/clients/{id}", path(client.id)));
had(await api.GET("/v1/clients/{id}/history", path(client.id)));
had(await api.GET("/v1/conflicts"));
const events = had(await api.GET("/v1/events", { params: { query: { limit: 1_000 } } }));
const exported = had(await api.GET("/v1/events/export", { params: { query: { format: "csv" } }, parseAs: "text" }));
const stream = had(await api.GET("/v1/events/stream", { parseAs: "stream" }));
await stream?.cancel();
had(await api.GET("/v1/imports/{id}", path(imported.id)));
const { items: [ownKey] } = had(await api.GET("/v1/keys"));
if (ownKey === undefined) throw new Error("no key");
had(await api.GET("/v1/keys/{id}", path(ownKey.id)));
const issuer = had(await api.POST("/v1/issuers", {
  body: {
    issuer: "https://login.example.org", audience: room.id, algorithms: ["RS256"],
    grants: [{ claim: "scope", value: "read", scopes: ["availability"] }],
  },
}));
had(await api.GET("/v1/issuers"));
had(await api.GET("/v1/browser-sessions"));
had(await api.GET("/v1/issuers/{id}", path(issuer.id)));
had(await operator.GET("/v1/programs"));
had(await api.GET("/v1/projections"));
had(await api.GET("/v1/resources"));
had(await api.GET("/v1/resources/{id}", path(room.id)));
had(await api.GET("/v1/resources/{id}/exceptions/{exception_id}", {
  params: { path: { id: room.id, exception_id: exception.id } },
}));
had(await api.GET("/v1/resources/{id}/opening-hours", { params: { path: { id: room.id }, query: { from, to } } }));
had(await api.GET("/v1/series/{id}", path(series.id)));
had(await api.GET("/v1/services"));
had(await api.GET("/v1/services/{id}", path(service.id)));
had(await api.GET("/v1/sessions"));
had(await api.GET("/v1/sessions/{id}", path(session.id)));
had(await api.GET("/v1/sessions/{id}/appointments", path(session.id)));
had(await api.GET("/v1/tenant/settings"));
had(await api.GET("/v1/utilisation", { params: { query: { from, to } } }));
had(await api.GET("/v1/waiting-list"));
had(await api.GET("/v1/waiting-list/{id}", path(waiting.id)));

console.log(JSON.stringify({
  booked: tagged.id, titles, changes: changed.changes?.map((change) => change.field),
  events: events.items.length, exported: exported.split("\n").length > 2,
}));
