// How @hey-api/openapi-ts makes its client: with imports that Node.js takes.
export default {
  input: "./openapi.json",
  output: { path: "./daybook", module: { extension: ".js" } },
  logs: { file: false, level: "silent" },
};
