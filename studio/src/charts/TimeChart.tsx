/** A chart over time: bars or areas that add up, or lines; the earlier period dashed, unfinished buckets pale. */
import { Box, useTheme } from "@mui/material";
import { BarPlot, type BarProps } from "@mui/x-charts/BarChart";
import { ChartsAxisHighlight } from "@mui/x-charts/ChartsAxisHighlight";
import { ChartsContainer } from "@mui/x-charts/ChartsContainer";
import { ChartsGrid } from "@mui/x-charts/ChartsGrid";
import { ChartsTooltipContainer } from "@mui/x-charts/ChartsTooltip";
import { ChartsXAxis } from "@mui/x-charts/ChartsXAxis";
import { ChartsYAxis } from "@mui/x-charts/ChartsYAxis";
import { useDrawingArea, useXScale } from "@mui/x-charts/hooks";
import { type AnimatedLineProps, AreaPlot, LineHighlightPlot, LinePlot, MarkPlot } from "@mui/x-charts/LineChart";
import { createContext, useContext, useId, useMemo, useState } from "react";
import type { Schemas } from "../api/client";
import { short } from "../format/numbers";
import { tick } from "../format/times";
import { type BoundedBy, Bounds } from "./Bounds";
import { Legend } from "./Legend";
import { coloursOf } from "./palette";
import { drawingOf, EARLIER, extentOf, isAlone, unfinished } from "./series";
import { Tooltip } from "./Tooltip";

type Chart = Schemas["Chart"];

export interface TimeChartProps {
  chart: Chart;
  /** What the chart shows, for those who do not see it. */
  name: string;
  height?: number;
  /** Other than the unit of the answer. */
  unit?: string;
  /** Series that bound others are drawn as bands around them. */
  bounded?: BoundedBy;
}

/** Which buckets are not whole; as the parts of a chart need it. */
const Partial = createContext<readonly number[]>([]);

export function TimeChart({ chart, name, height = 280, unit = chart.meta.unit ?? "count", bounded }: TimeChartProps) {
  const { palette } = useTheme();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const { timezone, aggregation_level: level = "day", partial = [] } = chart.meta;
  const shown = useMemo(
    () => (bounded ? { ...chart, series: chart.series.filter(({ id }) => !bounded.isBound(id)) } : chart),
    [chart, bounded],
  );
  const colours = useMemo(() => {
    const ids = shown.series.map(({ id }) => id);
    return new Map(coloursOf(ids, palette.mode).map((colour, index) => [ids[index]!, colour]));
  }, [shown, palette.mode]);
  const drawing = useMemo(() => drawingOf(shown, hidden), [shown, hidden]);
  const axis = chart.xAxis[0]?.data ?? [];
  const bounds = bounded
    ? drawing.series.flatMap(({ id }) =>
        chart.series.filter((one) => one.id === bounded.lower(id) || one.id === bounded.upper(id)),
      )
    : [];
  const values = [...drawing.series, ...drawing.earlier, ...bounds].flatMap(({ data }) => data);
  const isNegative = values.some((value) => typeof value === "number" && value < 0);
  const stacked = drawing.shape !== "lines";
  const colourOf = (id: string) => colours.get(id.replace(EARLIER, "")) ?? palette.text.secondary;

  const current = drawing.series.map((series) => ({
    ...series,
    color: colourOf(series.id),
    ...(drawing.shape === "bars"
      ? { type: "bar" as const }
      : {
          type: "line" as const,
          area: stacked,
          curve: "linear" as const,
          showMark: ({ index }: { index: number }) =>
            !stacked && (isAlone(series.data, index) || partial.includes(index)),
        }),
  }));
  const earlier = drawing.earlier.map((series) => ({
    ...series,
    type: "line" as const,
    color: colourOf(series.id),
    curve: "linear" as const,
    showMark: ({ index }: { index: number }) => isAlone(series.data, index),
    disableHighlight: true,
  }));

  return (
    <Box
      component="figure"
      aria-label={`${name}: ${shown.series.length} series, ${axis.length} buckets by ${level}. The same values are there as a table.`}
      sx={{ m: 0 }}
    >
      <ChartsContainer
        height={height}
        // The answer's own props: what is drawn is what was told.
        xAxis={chart.xAxis.map((one) => ({
          ...one,
          data: axis,
          position: "bottom" as const,
          height: 28,
          valueFormatter: (instant: string) => tick(instant, level, timezone),
          categoryGapRatio: axis.length > 40 ? 0.15 : 0.3,
        }))}
        yAxis={[
          {
            id: "value",
            width: 58,
            ...(isNegative ? {} : { min: 0 }),
            // The chart knows the lines alone; of a band both ends are to be seen.
            ...(bounds.length > 0 && extentOf(values)),
            valueFormatter: (value: number) => short(value, unit),
          },
        ]}
        series={[...current, ...earlier]}
        margin={{ top: 8, right: 12, bottom: 0, left: 0 }}
        skipAnimation
      >
        <Partial.Provider value={partial}>
          <ChartsGrid horizontal />
          {bounded && (
            <Bounds series={chart.series} shown={drawing.series} by={bounded} colourOf={colourOf} axis={axis} />
          )}
          <BarPlot slots={{ bar: Bar }} />
          <AreaPlot />
          <LinePlot slots={{ line: Line }} />
          <MarkPlot />
          <LineHighlightPlot />
          <ChartsAxisHighlight x={drawing.shape === "bars" ? "band" : "line"} />
          <ChartsXAxis axisId="time" disableTicks tickLabelStyle={{ fontSize: 11 }} />
          <ChartsYAxis axisId="value" disableLine disableTicks tickLabelStyle={{ fontSize: 11 }} />
        </Partial.Provider>
        <ChartsTooltipContainer trigger="axis">
          <Tooltip chart={shown} drawing={drawing} unit={unit} colourOf={colourOf} bounds={bounded && chart.series} />
        </ChartsTooltipContainer>
      </ChartsContainer>
      <Legend
        series={shown.series}
        colourOf={colourOf}
        hidden={hidden}
        onToggle={(id) => setHidden(toggled(hidden, id))}
        hasEarlier={drawing.earlier.length > 0}
        hasPartial={partial.length > 0}
        shape={drawing.shape}
      />
    </Box>
  );
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** A bar; pale with a dashed edge where its bucket is not whole. */
function Bar({ ownerState, dataIndex, x, y, width, height, className, ...handlers }: BarProps) {
  const { onClick, onPointerEnter, onPointerLeave } = handlers;
  const isPartial = useContext(Partial).includes(dataIndex);
  const edge = isPartial ? { fillOpacity: 0.35, stroke: ownerState.color, strokeDasharray: "3 2" } : {};
  return (
    <rect
      {...{ x, y, width, height, className, onClick, onPointerEnter, onPointerLeave }}
      fill={ownerState.color}
      opacity={ownerState.isFaded ? 0.4 : 1}
      data-partial={isPartial || undefined}
      {...edge}
    />
  );
}

/** A line; of the earlier period dashed, and dotted on the way to or from a bucket that is not whole. */
function Line({ ownerState, skipAnimation: _, d, className }: AnimatedLineProps) {
  const partial = useContext(Partial);
  const area = useDrawingArea();
  const scale = useXScale<"band">("time");
  const clip = useId();
  const isEarlier = String(ownerState.seriesId).startsWith(EARLIER);
  const stroke = {
    d,
    className,
    fill: "none",
    stroke: ownerState.color,
    strokeWidth: isEarlier ? 1.5 : 2,
    strokeLinejoin: "round" as const,
    opacity: ownerState.isFaded ? 0.3 : isEarlier ? 0.75 : 1,
  };
  if (isEarlier) return <path {...stroke} strokeDasharray="6 4" data-earlier />;
  const domain = scale.domain();
  const centre = (index: number) => (scale(domain[index]!) ?? 0) + scale.bandwidth() / 2;
  const dotted = unfinished(partial, domain.length).map(([from, to]) => [centre(from), centre(to)] as const);
  if (dotted.length === 0) return <path {...stroke} />;
  const whole: [number, number][] = [];
  let left = area.left;
  for (const [from, to] of dotted) {
    whole.push([left, from]);
    left = to;
  }
  whole.push([left, area.left + area.width]);
  const rects = (stretches: readonly (readonly [number, number])[]) =>
    stretches.map(([from, to]) => (
      <rect key={from} x={from} y={area.top - 4} width={Math.max(0, to - from)} height={area.height + 8} />
    ));
  return (
    <>
      <clipPath id={`${clip}whole`}>{rects(whole)}</clipPath>
      <clipPath id={`${clip}dotted`}>{rects(dotted)}</clipPath>
      <path {...stroke} clipPath={`url(#${clip}whole)`} />
      <path {...stroke} clipPath={`url(#${clip}dotted)`} strokeDasharray="2 3" data-partial />
    </>
  );
}
