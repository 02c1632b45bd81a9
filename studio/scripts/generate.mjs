// Writes what the studio knows of the API, from the OpenAPI document: its types, and of each question what it counts and
// which parameters it takes. Runs before whatever reads them, so that they cannot be of another document.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(
  readFileSync(new URL("../../openapi/openapi.json", import.meta.url), "utf8"),
  // Examples are for people who read the document.
  (key, value) => (key === "example" || key === "examples" ? undefined : value),
);

const questions = {};
for (const [path, { get }] of Object.entries(document.paths)) {
  if (!path.startsWith("/api/v1/") || !get) continue;
  const parameters = (get.parameters ?? []).filter((parameter) => parameter.in === "query");
  const named = (name) => parameters.find((parameter) => parameter.name === name);
  questions[path] = {
    title: get.summary,
    // What is null in an answer is a gap in a chart.
    counts: (get.description ?? get.summary).replaceAll("; null where", "; a gap where"),
    hasCsv: "text/csv" in (get.responses[200]?.content ?? {}),
    mostRows: named("limit")?.schema.maximum ?? null,
    parameters: parameters.map((parameter) => parameter.name),
    // Parameters that take one of a few words, but for those that all pages share.
    choices: Object.fromEntries(
      parameters
        .filter(
          ({ name, schema }) =>
            schema.enum && !["split_by", "aggregation_level", "compare", "compare_align"].includes(name),
        )
        .map(({ name, schema, description }) => [
          name,
          { values: schema.enum, usual: schema.default ?? null, says: description },
        ]),
    ),
    splits: named("split_by")?.schema.enum ?? [],
    fields: named("filter")?.["x-fields"] ?? [],
  };
}

const folder = new URL("../src/api/generated/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("schema.d.ts", folder), astToString(await openapiTS(document)));
writeFileSync(new URL("questions.json", folder), JSON.stringify(questions));
