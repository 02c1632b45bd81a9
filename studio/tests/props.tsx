// An answer of the API is spread into Material UI X charts as it is. This file is compiled, not run:
// it fails when the answer, or its description, is no longer what the charts take.
import { BarChart } from "@mui/x-charts/BarChart";
import { LineChart } from "@mui/x-charts/LineChart";
// Answers of the server, kept and checked by its tests.
import rate from "../../openapi/examples/recommendations/acceptance_rate.json";
import text from "../../openapi/examples/recommendations/assisted_text_per_source.json";
import series from "../../openapi/examples/recommendations/series.json";
import type { paths } from "../src/api/generated/schema";

type Chart =
  paths["/api/v1/recommendations/charts/assisted-text-per-source"]["get"]["responses"]["200"]["content"]["application/json"];

export function Described({ chart }: { chart: Chart }) {
  const { xAxis, series } = chart;
  return <BarChart height={300} {...{ xAxis, series }} />;
}

export function Compared({ chart }: { chart: Chart }) {
  const series = [...chart.series, ...(chart.comparison?.series ?? [])];
  return <LineChart height={300} xAxis={chart.xAxis} series={series} />;
}

// A real answer is what its description says …
export const Real = () =>
  [rate, text, series].map((example) => <Described chart={example.answer as unknown as Chart} />);

// … key by key: an answer with a key that is not described does not compile.
type Keys<T> = Record<keyof T, true>;
export const keys: Keys<typeof text.answer> & Keys<typeof rate.answer> & Keys<typeof series.answer> & Keys<Chart> = {
  xAxis: true,
  series: true,
  comparison: true,
  meta: true,
};
