/** An interval with its value on a scale that a list of them shares. */
import { Box, useTheme } from "@mui/material";

interface IntervalProps {
  value: number | null | undefined;
  interval: readonly number[] | null | undefined;
  /** From where to where the scale goes. */
  domain: readonly [number, number];
  /** What is drawn, in words. */
  name: string;
  /** A line through all of them, such as no difference. */
  reference?: number;
  colour?: string;
}

const [WIDTH, HEIGHT] = [240, 20];

export function Interval({ value, interval, domain, name, reference, colour }: IntervalProps) {
  const { palette } = useTheme();
  const [from, to] = domain;
  const at = (of: number) => ((Math.min(to, Math.max(from, of)) - from) / (to - from || 1)) * (WIDTH - 12) + 6;
  const stroke = colour ?? palette.primary.main;
  const [low, high] = interval ?? [];
  return (
    <Box
      component="svg"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={name}
      sx={{ width: "100%", maxWidth: WIDTH, minWidth: 120, height: HEIGHT, display: "block" }}
    >
      <line x1={0} x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} stroke={palette.divider} />
      {reference !== undefined && reference >= from && reference <= to && (
        <line
          x1={at(reference)}
          x2={at(reference)}
          y1={0}
          y2={HEIGHT}
          stroke={palette.text.secondary}
          strokeDasharray="3 2"
        />
      )}
      {low !== undefined && high !== undefined && (
        <line
          x1={at(low)}
          x2={at(high)}
          y1={HEIGHT / 2}
          y2={HEIGHT / 2}
          stroke={stroke}
          strokeWidth={4}
          strokeLinecap="round"
          opacity={0.6}
        />
      )}
      {value !== null && value !== undefined && <circle cx={at(value)} cy={HEIGHT / 2} r={5} fill={stroke} />}
    </Box>
  );
}

/** A scale on which all of these have room, with a little to spare. */
export function domainOf(
  intervals: (readonly (number | null | undefined)[] | null | undefined)[],
  least: readonly number[] = [],
): [number, number] {
  const all = [...intervals.flatMap((interval) => interval ?? []), ...least].filter(
    (of) => typeof of === "number" && Number.isFinite(of),
  ) as number[];
  if (all.length === 0) return [0, 1];
  const [from, to] = [Math.min(...all), Math.max(...all)];
  const spare = (to - from || 1) * 0.06;
  return [from - spare, to + spare];
}
