/** Bands between series that bound others from below and above. */
import { useXScale, useYScale } from "@mui/x-charts/hooks";
import type { Schemas } from "../api/client";

type Series = Schemas["Series"];

/** Which series are bounds, and of which. */
export interface BoundedBy {
  isBound(id: string): boolean;
  lower(id: string): string;
  upper(id: string): string;
}

/** As the conversion of an experiment has them: `<variant>:lower` and `<variant>:upper`. */
export const SEQUENCE: BoundedBy = {
  isBound: (id) => /:(lower|upper)$/.test(id),
  lower: (id) => `${id}:lower`,
  upper: (id) => `${id}:upper`,
};

interface BoundsProps {
  series: Series[];
  shown: Series[];
  by: BoundedBy;
  colourOf: (id: string) => string;
  axis: readonly (string | null)[];
}

export function Bounds({ series, shown, by, colourOf, axis }: BoundsProps) {
  const x = useXScale<"band">("time");
  const y = useYScale<"linear">("value");
  const [bottom, top] = [Math.max(...y.range()), Math.min(...y.range())];
  const within = (value: number) => Math.min(bottom, Math.max(top, y(value)));
  return shown.map(({ id }) => {
    const [lower, upper] = [by.lower(id), by.upper(id)].map((bound) => series.find((one) => one.id === bound)?.data);
    const points = axis.flatMap((instant, index) => {
      const [low, high] = [lower?.[index], upper?.[index]];
      if (instant === null || typeof low !== "number" || typeof high !== "number") return [];
      return [{ at: (x(instant) ?? 0) + x.bandwidth() / 2, low: within(low), high: within(high) }];
    });
    if (points.length === 0) return null;
    const outline = [
      ...points.map(({ at, high }) => [at, high]),
      ...points.toReversed().map(({ at, low }) => [at, low]),
    ];
    return (
      <polygon
        key={id}
        points={outline.map((point) => point.join(",")).join(" ")}
        fill={colourOf(id)}
        fillOpacity={0.16}
      />
    );
  });
}
