// Reads the AsyncAPI document of a server by its own parser, and the server's log; says in JSON what the parser finds in the
// document, which types of events the document and the log have, and which events are not as the document says.
import { Parser } from "@asyncapi/parser";
import Ajv from "ajv";
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

const wrong = [];
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
    }
    after = page.read_to;
    head = page.head;
  }
}

// An event that says something else is not taken for right.
const broken = { specversion: "1.0", type: "daybook.AppointmentCancelled", data: { by: 7 } };
console.log(
  JSON.stringify({
    found,
    channels: parsed?.channels().all().map((channel) => channel.address()) ?? [],
    described: messages.map(([, { name }]) => name),
    seen: [...seen],
    wrong,
    takes_anything: checks.get(broken.type)?.(broken) ?? true,
  }),
);
