// Reads the AsyncAPI document of a server by its own parser, and the server's log; says in JSON what the parser finds in the
// document, which types of events the document and the log have, and which events and examples are not as the document says.
import { Parser } from "@asyncapi/parser";
import Ajv from "ajv/dist/2019.js";
import addFormats from "ajv-formats";

const [base, key] = process.argv.slice(2);

async function get(path) {
  const answer = await fetch(base + path, { headers: { authorization: `Bearer ${key}` } });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const document = await get("/asyncapi.json");
const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
const found = diagnostics
  .filter(({ severity }) => severity < 2)
  .map(({ code, message, path }) => `${code} at ${path.join(".")}: ${message}`);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: "daybook", components: document.components });
const messages = Object.entries(document.components.messages);
const checks = new Map(
  messages.map(([at, { name }]) => [name, ajv.compile({ $ref: `daybook#/components/messages/${at}/payload` })]),
);

// What an event says has no member that its schema has not.
const said = new Map();
let examples = 0;
const wrong = [];
for (const [at, { name, payload }] of messages.filter(([at]) => at !== "end")) {
  const [schema] = payload.allOf.map(({ properties }) => properties?.data?.$ref).filter(Boolean);
  const check = ajv.compile({ $ref: `daybook${schema}`, unevaluatedProperties: false });
  said.set(name, check);
  const stored = document.components.schemas[schema.split("/").pop()].examples;
  if (stored.length === 0) wrong.push(`${at} has no example`);
  for (const example of stored) {
    examples += 1;
    if (!check(example)) wrong.push(`an example of ${at}: ${ajv.errorsText(check.errors)}`);
  }
}

const seen = new Set();
for (const personal of ["withheld", "told"]) {
  let after = 0;
  let head = 1;
  while (after < head) {
    const page = await get(`/v1/events?limit=1000&personal=${personal}&after=${after}`);
    for (const event of page.items) {
      seen.add(event.type);
      const check = checks.get(event.type);
      if (!check?.(event)) {
        wrong.push(`${event.type}: ${check ? ajv.errorsText(check.errors) : "is not described"}`);
      }
      const whole = said.get(event.type);
      if (whole && !whole(event.data)) wrong.push(`data of ${event.type}: ${ajv.errorsText(whole.errors)}`);
    }
    after = page.read_to;
    head = page.head;
  }
}

// An event that says something else is not taken for right.
const booked = (await get("/v1/events?event_type=AppointmentBooked&limit=1")).items[0];
const broken = [
  { ...booked, data: { ...booked.data, service_id: 7 } },
  { ...booked, data: { ...booked.data, slot: { ...booked.data.slot, during: {} } } },
  { ...booked, dataschema: booked.dataschema.replace("2.0", "1.0") },
  { ...booked, subject: undefined },
];
const check = checks.get(booked.type);
console.log(
  JSON.stringify({
    found,
    channels: parsed?.channels().all().map((channel) => channel.address()) ?? [],
    described: messages.map(([, { name }]) => name),
    seen: [...seen],
    examples,
    wrong,
    takes_anything: !check(booked) || broken.some((event) => check(JSON.parse(JSON.stringify(event)))),
  }),
);
