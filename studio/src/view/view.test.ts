import { describe, expect, it } from "vitest";
import { type Filter, operatorsFor, readFilter, sayFilter, writeFilter } from "./filter";
import { parametersOf, parseSearch, readView, stringifySearch, writeParameter, writeView } from "./view";

describe("filters", () => {
  it("are read and written as the API has them", () => {
    const written = "model:in:gpt-5,gpt-5-mini|duration_ms:gt:1000|error_type:is_null";
    const filter = readFilter(written);
    expect(filter).toEqual([
      { field: "model", operator: "in", values: ["gpt-5", "gpt-5-mini"] },
      { field: "duration_ms", operator: "gt", values: ["1000"] },
      { field: "error_type", operator: "is_null", values: [] },
    ]);
    expect(writeFilter(filter!)).toBe(written);
    expect(sayFilter(filter!)).toBe("model is one of gpt-5, gpt-5-mini or duration ms > 1000 or error type is unknown");
  });

  it("come back as they went, whatever is in their values", () => {
    const signs = ["a", ",", "|", ":", "\\", " ", "é", "&", "=", "%", "'", '"', "\n", "ｚ", "😀"];
    let seed = 1;
    const next = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const text = () => Array.from({ length: 1 + next(6) }, () => signs[next(signs.length)]).join("");
    for (let round = 0; round < 2_000; round += 1) {
      const filter: Filter = Array.from({ length: 1 + next(3) }, () => ({
        field: `data.${text()}`,
        operator: next(2) === 0 ? "eq" : "in",
        values: [text()],
      }));
      expect(readFilter(writeFilter(filter))).toEqual(filter);
      // … also through an address.
      const search = parseSearch(stringifySearch({ filter: writeFilter(filter) }));
      expect(readView(search).view.filters).toEqual([filter]);
    }
  });

  it.each(["", "model", "model:eq", "model:like:x", ":eq:x", "model:is_null:x", "model:eq:a,b", "a:eq:b|"])(
    "that are none are none: %s",
    (text) => expect(readFilter(text)).toBeNull(),
  );

  it("offer the operators that fit", () => {
    expect(operatorsFor("number")).not.toContain("contains");
    expect(operatorsFor("text")).not.toContain("gt");
    expect(operatorsFor("path")).toContain("contains");
  });
});

describe("the view", () => {
  it("is as usual without anything in the address", () => {
    const { view, problems } = readView({ timezone: "Asia/Kathmandu" });
    expect(problems).toEqual([]);
    expect(view).toEqual({
      range: { preset: "30d" },
      timezone: "Asia/Kathmandu",
      level: "auto",
      comparison: "none",
      filters: [],
      split: null,
    });
  });

  it("comes back from an address as it was", () => {
    const address =
      "?datetime_from=2026-02-01&datetime_to=2026-02-28&timezone=Europe/Amsterdam&aggregation_level=day&compare=previous_year&filter=model:eq:a|model:eq:b&filter=status_code:eq:ERROR&split_by=model";
    const { view, problems } = readView(parseSearch(address));
    expect(problems).toEqual([]);
    const written = writeView({ kept: "x" }, view);
    expect(readView(written).view).toEqual(view);
    expect(written.kept).toBe("x");
    expect(new URLSearchParams(stringifySearch(writeView({}, view))).toString()).toBe(
      new URLSearchParams(address).toString(),
    );
    expect(parametersOf(view)).toMatchObject({ range: undefined, datetime_from: "2026-02-01", split_by: "model" });
  });

  it.each([
    ["range=fortnight", "range=fortnight is not known; shown is last 30 days."],
    ["timezone=Mars/Base", /^timezone=Mars\/Base is no time zone; shown is /],
    ["timezone=%2B02:00", /is no time zone/],
    ["aggregation_level=second", "aggregation_level=second is not known; shown is auto."],
    ["compare=yesteryear", "compare=yesteryear is not known; shown is no comparison."],
    ["filter=nonsense", "filter=nonsense could not be read, so it is left out."],
    ["datetime_from=2026-02-30&datetime_to=2026-03-02", /is no range of time; shown is last 30 days/],
    ["datetime_from=2026-03-02&datetime_to=2026-03-01", /is no range of time/],
    ["datetime_from=2026-03-02", /is no range of time/],
    [`range=${"x".repeat(500)}`, /^range=x{40}… is not known/],
  ])("falls back and says so: %s", (address, said) => {
    const { view, problems } = readView({ timezone: "UTC", ...parseSearch(address) });
    expect(problems).toEqual([expect.stringMatching(said)]);
    expect(view.range).toEqual({ preset: "30d" });
    expect([view.level, view.comparison, view.filters]).toEqual(["auto", "none", []]);
  });

  it("takes words in any case, as the API does", () => {
    expect(readView({ range: "7D", aggregation_level: "DAY" }).view).toMatchObject({
      range: { preset: "7d" },
      level: "day",
    });
  });
});

describe("places in what is turned over", () => {
  const search = { range: "7d", cursor: "x", "models.offset": "20", "models.sort": "-calls", "tools.offset": "10" };

  it("are of one view", () => {
    expect(writeView(search, { range: { preset: "30d" } })).toEqual({ range: "30d", "models.sort": "-calls" });
  });

  it("begin anew where a panel is sorted or asked otherwise", () => {
    expect(writeParameter(search, "models.sort", "runs")).toEqual({
      range: "7d",
      cursor: "x",
      "models.sort": "runs",
      "tools.offset": "10",
    });
    expect(writeParameter(search, "filter_on", "any_span").cursor).toBeUndefined();
    expect(writeParameter(search, "models.offset", "30")).toEqual({ ...search, "models.offset": "30" });
  });
});

it("names of an address are no names of objects", () => {
  expect(parseSearch("constructor=x&constructor=y")).toEqual({ constructor: ["x", "y"] });
  expect(readView(parseSearch("filter=model:toString:x")).problems).toHaveLength(1);
});
