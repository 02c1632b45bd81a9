/** Colours of series. Told apart by people who see colours differently, on light and on dark ground. */
import type { PaletteMode } from "@mui/material";
import { isNamed } from "./series";

const CATEGORIES: Record<PaletteMode, string[]> = {
  light: ["#0e7490", "#c2410c", "#6d28d9", "#4d7c0f", "#be185d", "#1d4ed8", "#a16207", "#7f1d1d", "#a21caf", "#475569"],
  dark: ["#22d3ee", "#fb923c", "#a78bfa", "#a3e635", "#f472b6", "#60a5fa", "#facc15", "#f87171", "#e879f9", "#cbd5e1"],
};
/** Quantiles: the further out, the stronger. */
const RAMP: Record<PaletteMode, string[]> = {
  light: ["#3f9bb1", "#23849c", "#0e6a82", "#0b4d60", "#082f3a"],
  dark: ["#1b86a5", "#19a9c9", "#3cc8e2", "#8be8f8", "#d6fbff"],
};
const REST: Record<PaletteMode, string> = { light: "#94a3b8", dark: "#64748b" };

const QUANTILES = ["p50", "p75", "p90", "p95", "p99"];

/** A colour for each series. The same names have the same colours, however they are ordered; the rest and what has no value are grey. */
export function coloursOf(ids: string[], mode: PaletteMode): string[] {
  if (ids.length > 0 && ids.every((id) => QUANTILES.includes(id))) {
    return ids.map((id) => RAMP[mode][QUANTILES.indexOf(id)]!);
  }
  const [colours, named] = [CATEGORIES[mode], ids.filter((id) => isNamed({ id })).sort()];
  return ids.map((id) => (isNamed({ id }) ? colours[named.indexOf(id) % colours.length]! : REST[mode]));
}
