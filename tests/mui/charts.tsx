// An answer of the API is spread into Material UI X charts as it is. This file is compiled, not run:
// it fails when the answer, or its description, is no longer what the charts take.
import { BarChart } from '@mui/x-charts/BarChart';
import { LineChart } from '@mui/x-charts/LineChart';

import type { paths } from './api';
import answer from './chart.json';

type Chart =
  paths['/api/v1/recommendations/charts/assisted-text-per-source']['get']['responses']['200']['content']['application/json'];

export function Described({ chart }: { chart: Chart }) {
  const { xAxis, series } = chart;
  return <BarChart height={300} {...{ xAxis, series }} />;
}

export function Compared({ chart }: { chart: Chart }) {
  const series = [...chart.series, ...(chart.comparison?.series ?? [])];
  return <LineChart height={300} xAxis={chart.xAxis} series={series} />;
}

// A real answer, kept by the tests of the server, is what its description says …
const real = answer as unknown as Chart;

export const Real = () => <Described chart={real} />;

// … key by key: an answer with a key that is not described does not compile.
export const keys: Record<keyof typeof answer, true> & Record<keyof Chart, true> = {
  xAxis: true,
  series: true,
  comparison: true,
  meta: true,
};
