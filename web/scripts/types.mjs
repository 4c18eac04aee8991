// Writes src/api/__generated__/api.ts: the types of the server's answers, from openapi/api.json. `npm run types`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const document = JSON.parse(readFileSync(new URL("../../openapi/api.json", import.meta.url)));

function type(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (Array.isArray(schema.type)) return schema.type.map((one) => type({ ...schema, type: one })).join(" | ");
  switch (schema.type) {
    case "array": return `${wrapped(type(schema.items ?? {}))}[]`;
    case "integer": case "number": return "number";
    case "string": return "string";
    case "boolean": return "boolean";
    case "null": return "null";
    case "object": return schema.properties ? members(schema) : "{ [name: string]: unknown }";
    default: return "unknown";
  }
}

const wrapped = (text) => (text.includes(" ") ? `(${text})` : text);

function members(schema) {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([name, one]) => `  ${name}${required.has(name) ? "" : "?"}: ${type(one)};`);
  return `{\n${lines.join("\n")}\n}`;
}

const types = Object.entries(document.components.schemas).map(([name, schema]) => `export type ${name} = ${type(schema)};\n`);
const text = `// Made from openapi/api.json by \`npm run types\`; not to be changed by hand.\n\n${types.join("\n")}`;
mkdirSync(new URL("../src/api/__generated__/", import.meta.url), { recursive: true });
writeFileSync(new URL("../src/api/__generated__/api.ts", import.meta.url), text);
