/** From an answer of the API to what is drawn. Pure. */
import type { Schemas } from "../api/client";

type Chart = Schemas["Chart"];
type Series = Schemas["Series"];

/** Beyond so many buckets bars are too thin to be seen. */
const MOST_BARS = 100;
/** Series of the earlier period have ids with this in front. */
export const EARLIER = "earlier:";

export type Shape = "bars" | "areas" | "lines";

export interface Drawing {
  shape: Shape;
  /** As the API gave them: props of Material UI X Charts. */
  series: Series[];
  /** The earlier period, as lines. */
  earlier: Series[];
}

/** How a chart is drawn: what adds up as a stack, anything else as lines; the earlier period as lines beside it. */
export function drawingOf(chart: Pick<Chart, "series" | "xAxis" | "comparison">, hidden: ReadonlySet<string>): Drawing {
  const series = chart.series.filter(({ id }) => !hidden.has(id));
  const earlier = (chart.comparison?.series ?? []).filter(({ id }) => !hidden.has(id));
  const stacked = chart.series.length > 0 && chart.series.every(({ stack }) => stack !== undefined);
  const buckets = chart.xAxis[0]?.data.length ?? 0;
  return {
    shape: !stacked ? "lines" : buckets <= MOST_BARS ? "bars" : "areas",
    series,
    earlier:
      stacked && earlier.length > 0 ? [totalOf(earlier)] : earlier.map((one) => ({ ...one, id: EARLIER + one.id })),
  };
}

/** Whether a group has a name: the rest, and what has no value, are groups without one. */
export function isNamed({ id }: Pick<Series, "id">): boolean {
  return !/^_*(other|none)$/.test(id);
}

/** The sum of a stack; null where nothing of it is known. */
export function totalOf(stack: Series[]): Series {
  const length = stack[0]?.data.length ?? 0;
  const data = Array.from({ length }, (_, index) => {
    const known = stack.map(({ data }) => data[index]).filter((value) => typeof value === "number");
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
  return { id: `${EARLIER}total`, label: "Total", data };
}

/** Points that have no neighbour, so that no line shows them. */
export function isAlone(data: readonly (number | null)[], index: number): boolean {
  const known = (at: number) => data[at] !== null && data[at] !== undefined;
  return known(index) && !known(index - 1) && !known(index + 1);
}

/** `now ÷ before − 1`; null where that says nothing. */
export function relative(now: number | null | undefined, before: number | null | undefined): number | null {
  if (now === null || now === undefined || before === null || before === undefined || before === 0) return null;
  return (now - before) / Math.abs(before);
}

/** What a bucket of a series is made of, where it is a ratio. */
export function partsOf(series: Series, index: number): { numerator: number; denominator: number } | null {
  const [numerator, denominator] = [series.numerator?.[index], series.denominator?.[index]];
  return numerator === undefined || denominator === undefined ? null : { numerator, denominator };
}

/** Stretches of the axis between points of which one is not whole, as pairs of indexes. */
export function unfinished(partial: readonly number[], buckets: number): [number, number][] {
  const stretches: [number, number][] = [];
  for (let left = 0; left + 1 < buckets; left += 1) {
    if (!partial.includes(left) && !partial.includes(left + 1)) continue;
    const last = stretches.at(-1);
    if (last && last[1] === left) last[1] = left + 1;
    else stretches.push([left, left + 1]);
  }
  return stretches;
}

/** Units of what is not counted: a zero of these is a value like any other. */
const MEASURED = ["ratio", "ms", "usd"];

/** Nothing but gaps, then as now; of what is counted, nothing but zeros. */
export function isEmpty({ series, comparison, meta }: Pick<Chart, "series" | "comparison" | "meta">): boolean {
  const isNothing = (value: number | null) =>
    value === null || (value === 0 && !(meta.fresh_as_of && MEASURED.includes(meta.unit ?? "count")));
  return [...series, ...(comparison?.series ?? [])].every(({ data }) => data.every(isNothing));
}

/** From the least to the most of all values, and zero. */
export function extentOf(values: readonly (number | null)[]): { min: number; max: number } {
  const known = values.filter((value) => value !== null);
  return { min: Math.min(0, ...known), max: Math.max(0, ...known) };
}
