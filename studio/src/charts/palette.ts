/** Colours of series. Told apart by people who see colours differently, on light and on dark ground. */
import type { PaletteMode } from "@mui/material";

const CATEGORIES: Record<PaletteMode, string[]> = {
  light: ["#0e7490", "#c2410c", "#6d28d9", "#4d7c0f", "#be185d", "#1d4ed8", "#a16207", "#0f766e", "#9f1239", "#475569"],
  dark: ["#22d3ee", "#fb923c", "#a78bfa", "#a3e635", "#f472b6", "#60a5fa", "#facc15", "#2dd4bf", "#fda4af", "#cbd5e1"],
};
/** Quantiles: the further out, the stronger. */
const RAMP: Record<PaletteMode, string[]> = {
  light: ["#67b7c9", "#2f94ab", "#0e7490", "#0b5568", "#082f3a"],
  dark: ["#155e75", "#0e8aa5", "#22b8d4", "#67e8f9", "#cffafe"],
};
const REST: Record<PaletteMode, string> = { light: "#94a3b8", dark: "#64748b" };

const QUANTILES = ["p50", "p75", "p90", "p95", "p99"];

/** A colour for each series, in their order. The rest and what has no value are grey. */
export function coloursOf(ids: string[], mode: PaletteMode): string[] {
  if (ids.length > 0 && ids.every((id) => QUANTILES.includes(id))) {
    return ids.map((id) => RAMP[mode][QUANTILES.indexOf(id)]!);
  }
  let next = 0;
  return ids.map((id) => {
    if (/^_*(other|none)$/.test(id)) return REST[mode];
    const colours = CATEGORIES[mode];
    next += 1;
    return colours[(next - 1) % colours.length]!;
  });
}
