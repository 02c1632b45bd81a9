import { describe, expect, it } from "vitest";
import rate from "../../../openapi/examples/recommendations/acceptance_rate.json";
import text from "../../../openapi/examples/recommendations/assisted_text_per_source.json";
import type { Schemas } from "../api/client";
import { coloursOf } from "./palette";
import { drawingOf, EARLIER, extentOf, isAlone, isEmpty, partsOf, relative, totalOf, unfinished } from "./series";

type Chart = Schemas["Chart"];

const stack = text.answer as unknown as Chart;
const rates = rate.answer as unknown as Chart;
const NOTHING = new Set<string>();

describe("a chart of the API", () => {
  it("that adds up is drawn as bars, of the values that were told", () => {
    const drawing = drawingOf({ ...stack, comparison: null }, NOTHING);
    expect(drawing.shape).toBe("bars");
    expect(drawing.series).toEqual(stack.series);
    expect(drawing.earlier).toEqual([]);
  });

  it("that does not is drawn as lines, each beside its own earlier one", () => {
    const earlier = { range: rates.meta.range, xAxis: rates.xAxis, series: rates.series };
    const drawing = drawingOf({ ...rates, comparison: earlier }, NOTHING);
    expect(drawing.shape).toBe("lines");
    expect(drawing.earlier.map(({ id }) => id)).toEqual(rates.series.map(({ id }) => EARLIER + id));
    expect(drawing.earlier.map(({ data }) => data)).toEqual(rates.series.map(({ data }) => data));
  });

  it("is compared by the total of its stack, in which nothing known is no zero", () => {
    const series = [
      { id: "a", label: "a", data: [1, null, 0, null], stack: "total" },
      { id: "b", label: "b", data: [2, 5, null, null], stack: "total" },
    ];
    expect(totalOf(series).data).toEqual([3, 5, 0, null]);
    const drawing = drawingOf({ ...stack, series, comparison: { ...stack, range: stack.meta.range, series } }, NOTHING);
    expect(drawing.earlier.map(({ data }) => data)).toEqual([[3, 5, 0, null]]);
  });

  it("has no thin bars, and nothing that is hidden", () => {
    const axis = { ...stack.xAxis[0]!, data: Array.from({ length: 101 }, (_, index) => String(index)) };
    expect(drawingOf({ ...stack, xAxis: [axis], comparison: null }, NOTHING).shape).toBe("areas");
    const hidden = new Set([stack.series[0]!.id]);
    expect(drawingOf(stack, hidden).series.map(({ id }) => id)).not.toContain(stack.series[0]!.id);
  });

  it("tells what a ratio is made of", () => {
    const series = rates.series[0]!;
    series.data.forEach((value, index) => {
      const parts = partsOf(series, index)!;
      expect(value).toBe(parts.denominator === 0 ? null : parts.numerator / parts.denominator);
    });
    expect(partsOf(stack.series[0]!, 0)).toBeNull();
  });
});

it("a point without neighbours is marked, since no line shows it", () => {
  const data = [1, null, 2, null, 3, 4, null, null, 5];
  expect(data.map((_, index) => isAlone(data, index))).toEqual([
    true,
    false,
    true,
    false,
    false,
    false,
    false,
    false,
    true,
  ]);
});

it("unfinished stretches reach to their neighbours", () => {
  expect(unfinished([], 5)).toEqual([]);
  expect(unfinished([0, 4], 5)).toEqual([
    [0, 1],
    [3, 4],
  ]);
  expect(unfinished([3, 4], 5)).toEqual([[2, 4]]);
  expect(unfinished([0], 1)).toEqual([]);
});

it("a change beside nothing is none", () => {
  expect([relative(3, 2), relative(1, -2), relative(1, 0), relative(null, 1), relative(1, undefined)]).toEqual([
    0.5,
    1.5,
    null,
    null,
    null,
  ]);
});

it("colours are told apart, but for the rest, which is grey", () => {
  const colours = coloursOf(["a", "b", "other", "none"], "light");
  expect(new Set(colours.slice(0, 3)).size).toBe(3);
  expect(colours[2]).toBe(colours[3]);
  const other = coloursOf(["b", "other", "a"], "light");
  expect([other[2], other[0]]).toEqual([colours[0], colours[1]]);
  expect(new Set(coloursOf(["p50", "p75", "p90", "p95", "p99"], "dark")).size).toBe(5);
});

describe("a chart with nothing in it", () => {
  const of = (value: number | null, chart: Chart): Chart => ({
    ...chart,
    series: chart.series.map((series) => ({ ...series, data: series.data.map(() => value) })),
    comparison: null,
  });

  it("has only gaps; or zeros, of what is counted", () => {
    expect([of(null, rates), of(null, stack), of(0, stack)].map(isEmpty)).toEqual([true, true, true]);
  });

  it("is not one in which all went well", () => {
    expect(isEmpty(of(0, rates))).toBe(false);
    // Where no row has ever come in, nothing went well either.
    expect(isEmpty({ ...of(0, rates), meta: { ...rates.meta, fresh_as_of: null } })).toBe(true);
  });
});

it("bands are within the scale", () => {
  expect(extentOf([0.1, null, 0.4])).toEqual({ min: 0, max: 0.4 });
  expect(extentOf([-0.3, 0.2])).toEqual({ min: -0.3, max: 0.2 });
});
