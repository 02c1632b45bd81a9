/** A question whose answer is a chart over time. */
import { useMemo } from "react";
import { about, type ChartPath, type Schemas } from "../api/client";
import type { BoundedBy } from "../charts/Bounds";
import { seriesName } from "../charts/Legend";
import { isEmpty } from "../charts/series";
import { TimeChart } from "../charts/TimeChart";
import { parts, value } from "../format/numbers";
import { bucket } from "../format/times";
import type { TableOf } from "./DataTable";
import { Panel } from "./Panel";
import { type PanelQuestion, usePanel } from "./usePanel";

type Chart = Schemas["Chart"];

/** Parameters that choose what is shown of each group: without groups, all of it is. */
const OF_GROUPS = ["quantile", "stage"];

interface ChartPanelProps extends PanelQuestion<ChartPath> {
  title?: string;
  counts?: string;
  span?: number;
  height?: number;
  /** Only these series, and their unit where it is not that of the answer. */
  only?: { series: string[]; unit: string };
  bounded?: BoundedBy;
}

export function ChartPanel({ title, counts, span = 6, height = 280, only, bounded, ...question }: ChartPanelProps) {
  const asked = usePanel(question);
  const { data } = asked.result;
  const shown = useMemo(() => (data && only ? onlySeries(data, only) : data), [data, only]);
  const isSplit = asked.question.query?.split_by !== undefined;
  const name = title ?? about(question.path).title;
  return (
    <Panel
      asked={{
        ...asked,
        result: { ...asked.result, data: shown } as typeof asked.result,
        choices: asked.choices.filter((choice) => isSplit || !OF_GROUPS.includes(choice)),
      }}
      title={name}
      counts={counts}
      span={span}
      height={height + 32}
      isEmpty={isEmpty}
      table={tableOf}
    >
      {(chart) => <TimeChart chart={chart} name={name} height={height} bounded={bounded} />}
    </Panel>
  );
}

function onlySeries(chart: Chart, { series: ids, unit }: { series: string[]; unit: string }): Chart {
  const kept = <T extends { id: string }>(series: T[]) => series.filter(({ id }) => ids.includes(id));
  return {
    ...chart,
    series: kept(chart.series),
    comparison: chart.comparison && { ...chart.comparison, series: kept(chart.comparison.series) },
    meta: { ...chart.meta, unit },
  };
}

export function tableOf(chart: Chart): TableOf {
  const { aggregation_level: level = "day", timezone, unit = "count", partial = [] } = chart.meta;
  const earlier = chart.comparison?.series ?? [];
  const cell = (series: Chart["series"][number], index: number) => {
    const counted = parts(series.numerator?.[index], series.denominator?.[index]);
    return value(series.data[index], unit) + (counted && ` (${counted})`);
  };
  return {
    columns: [
      { name: "Time" },
      ...chart.series.map(({ label }) => ({ name: seriesName(label), isNumber: true })),
      ...earlier.map(({ label }) => ({ name: `${seriesName(label)}, earlier`, isNumber: true })),
    ],
    rows: (chart.xAxis[0]?.data ?? []).map((instant, index) => [
      (instant ? bucket(instant, level, timezone) : "") + (partial.includes(index) ? " (not whole)" : ""),
      ...[...chart.series, ...earlier].map((series) => cell(series, index)),
    ]),
  };
}
