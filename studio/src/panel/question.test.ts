import { describe, expect, it } from "vitest";
import type { About } from "../api/client";
import { readView } from "../view/view";
import { applies, questionOf, wholeOf } from "./question";

const ABOUT: About = {
  title: "Cost",
  counts: "",
  hasCsv: true,
  mostRows: null,
  parameters: [
    "range",
    "datetime_from",
    "datetime_to",
    "timezone",
    "aggregation_level",
    "filter",
    "split_by",
    "quantile",
  ],
  choices: { quantile: { values: ["p50", "p95"], usual: "p95", says: "" } },
  splits: ["model"],
  fields: [
    { name: "model", kind: "text" },
    { name: "data.<path>", kind: "path" },
  ],
};

const asked = (search: Record<string, string | string[]>, own = {}) => {
  const { view } = readView({ timezone: "UTC", ...search });
  return questionOf("/api/v1/assistants/charts/cost", ABOUT, { view, search, choices: ["quantile"], own });
};

describe("a question", () => {
  it("has what it knows of the view", () => {
    const { question, without } = asked({ filter: ["model:eq:a|data.x:eq:b"], split_by: "model", quantile: "p50" });
    expect(question.query).toEqual({
      range: "30d",
      timezone: "UTC",
      aggregation_level: "auto",
      filter: ["model:eq:a|data.x:eq:b"],
      split_by: "model",
      quantile: "p50",
    });
    expect(without).toEqual([]);
  });

  it("says what of the view does not apply to it", () => {
    const { question, without } = asked({
      filter: "route:eq:/|model:eq:a",
      split_by: "platform",
      compare: "previous_year",
    });
    expect(Object.keys(question.query!)).toEqual(["range", "timezone", "aggregation_level"]);
    expect(without).toEqual([
      "Not compared: this has no earlier value.",
      "Not split: this cannot be told apart by platform.",
      "Not filtered by “route is / or model is a”: this is not told here.",
    ]);
  });

  it("is set by its panel over the view, and takes no choice that there is not", () => {
    const { question, without } = asked({ split_by: "platform", quantile: "p42" }, { split_by: "model" });
    expect([question.query?.split_by, question.query?.quantile, without]).toEqual([
      "model",
      undefined,
      ["quantile=p42 is not known here; shown is what is usual."],
    ]);
  });
});

it("a filter applies when all its fields are known", () => {
  expect(applies([{ field: "data.deep.path", operator: "eq", values: ["1"] }], ABOUT)).toBe(true);
  expect(applies([{ field: "database", operator: "eq", values: ["1"] }], ABOUT)).toBe(false);
});

it("what is taken from a panel is not the part that is shown", () => {
  const query = { range: "7d", limit: "10", offset: "20", cursor: "x" };
  const question = { path: "/api/v1/assistants/models" as const, query };
  expect(wholeOf(question, { ...ABOUT, mostRows: 1_000 }).query).toEqual({ range: "7d", limit: "1000" });
  expect(wholeOf(question, ABOUT)).toBe(question);
});
