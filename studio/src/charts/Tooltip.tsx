/** What a bucket has: values with what they are made of, and how they have changed. */
import { Box, Paper, Typography } from "@mui/material";
import { useAxesTooltip } from "@mui/x-charts/ChartsTooltip";
import type { Schemas } from "../api/client";
import { change, count, value } from "../format/numbers";
import { bucket } from "../format/times";
import { seriesName } from "./Legend";
import { type Drawing, EARLIER, partsOf, relative, totalOf } from "./series";

type Series = Schemas["Series"];

interface TooltipProps {
  chart: Schemas["Chart"];
  drawing: Drawing;
  unit: string;
  colourOf: (id: string) => string;
  /** All series, where some bound others. */
  bounds?: Series[];
}

/** So many series are told one by one; the largest ones. */
const MOST = 12;

export function Tooltip({ chart, drawing, unit, colourOf, bounds }: TooltipProps) {
  const index = useAxesTooltip()?.[0]?.dataIndex;
  const instant = index === undefined ? undefined : chart.xAxis[0]?.data[index];
  if (index === undefined || !instant) return null;
  const { timezone, aggregation_level: level = "day", partial = [] } = chart.meta;
  const earlierInstant = chart.comparison?.xAxis[0]?.data[index];
  const isStack = drawing.shape !== "lines";
  const ordered = isStack ? drawing.series.toReversed() : drawing.series;
  const shown = ordered.filter(({ data }) => !isStack || data[index] !== 0).slice(0, MOST);
  const total = isStack && drawing.series.length > 1 ? totalOf(drawing.series) : null;
  const earlierOf = (id: string) =>
    isStack ? null : drawing.earlier.find((one) => one.id === EARLIER + id)?.data[index];
  const earlierTotal = isStack ? drawing.earlier[0]?.data[index] : null;
  const ofAll = total ?? (isStack ? drawing.series[0] : undefined);

  return (
    <Paper elevation={4} sx={{ p: 1.25, maxWidth: "min(520px, 94vw)", pointerEvents: "none" }}>
      <Typography variant="subtitle2">{bucket(instant, level, timezone)}</Typography>
      {partial.includes(index) && (
        <Typography variant="caption" color="textSecondary" component="p">
          Not whole: not over yet, or cut by the range
        </Typography>
      )}
      <Box
        component="table"
        sx={{ borderSpacing: "0 2px", fontSize: 13, "td, th": { py: 0, px: 0.75, textAlign: "left" } }}
      >
        <tbody>
          {shown.map((series) => (
            <Row
              key={series.id}
              name={seriesName(series.label)}
              colour={colourOf(series.id)}
              now={series.data[index]}
              before={earlierOf(series.id)}
              unit={unit}
              parts={partsOf(series, index)}
              between={bounds && between(bounds, series.id, index)}
            />
          ))}
          {total && <Row name="Total" now={total.data[index]} unit={unit} />}
        </tbody>
      </Box>
      {earlierInstant && (
        <Typography variant="caption" color="textSecondary" component="p">
          Earlier: {bucket(earlierInstant, level, timezone)}
          {ofAll &&
            earlierTotal !== undefined &&
            ` · ${value(earlierTotal, unit)}${said(relative(ofAll.data[index], earlierTotal))}`}
        </Typography>
      )}
    </Paper>
  );
}

function between(bounds: Series[], id: string, index: number): [number, number] | null {
  const [low, high] = ["lower", "upper"].map((side) => bounds.find((one) => one.id === `${id}:${side}`)?.data[index]);
  return typeof low === "number" && typeof high === "number" ? [low, high] : null;
}

function said(relative: number | null): string {
  return relative === null ? "" : ` (${change(relative)})`;
}

interface RowProps {
  name: string;
  colour?: string;
  now: number | null | undefined;
  before?: number | null | undefined;
  unit: string;
  parts?: { numerator: number; denominator: number } | null;
  between?: [number, number] | null | undefined;
}

function Row({ name, colour, now, before, unit, parts, between }: RowProps) {
  const changed = relative(now, before);
  return (
    <tr>
      <td>
        <Box sx={{ width: 10, height: 10, borderRadius: 0.5, bgcolor: colour ?? "transparent" }} />
      </td>
      <Box
        component="th"
        scope="row"
        sx={{ fontWeight: 400, maxWidth: 190, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
      >
        {name}
      </Box>
      <Box component="td" sx={{ fontVariantNumeric: "tabular-nums", fontWeight: 600, whiteSpace: "nowrap" }}>
        {value(now, unit)}
      </Box>
      <Box component="td" sx={{ color: "text.secondary", whiteSpace: "nowrap" }}>
        {parts && `${count(parts.numerator)} ÷ ${count(parts.denominator)}`}
        {between && `${value(between[0], unit)} to ${value(between[1], unit)}`}
        {before !== null && before !== undefined && ` was ${value(before, unit)}${said(changed)}`}
      </Box>
    </tr>
  );
}
