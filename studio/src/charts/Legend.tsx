/** The series of a chart; each can be hidden and shown. */
import { Box, ButtonBase, Typography } from "@mui/material";
import type { Schemas } from "../api/client";
import { label } from "../format/names";
import type { Shape } from "./series";

interface LegendProps {
  series: Schemas["Series"][];
  colourOf: (id: string) => string;
  hidden: ReadonlySet<string>;
  onToggle: (id: string) => void;
  hasEarlier: boolean;
  hasPartial: boolean;
  shape: Shape;
}

export function Legend({ series, colourOf, hidden, onToggle, hasEarlier, hasPartial, shape }: LegendProps) {
  return (
    <Box
      component="ul"
      aria-label="Series"
      sx={{
        display: "flex",
        flexWrap: "wrap",
        columnGap: 1.5,
        m: 0,
        mt: 0.5,
        p: 0,
        listStyle: "none",
        minHeight: 24,
        maxHeight: 96,
        overflowY: "auto",
      }}
    >
      {(series.length > 1 ? series : []).map(({ id, label: name }) => (
        <li key={id}>
          <ButtonBase
            onClick={() => onToggle(id)}
            aria-pressed={!hidden.has(id)}
            title={hidden.has(id) ? "Show" : "Hide"}
            sx={{ gap: 0.75, px: 0.5, minHeight: 24, borderRadius: 1, opacity: hidden.has(id) ? 0.45 : 1 }}
          >
            <Box
              sx={{
                width: 10,
                height: shape === "lines" ? 3 : 10,
                borderRadius: 0.5,
                bgcolor: colourOf(id),
                flexShrink: 0,
              }}
            />
            <Typography
              variant="caption"
              noWrap
              sx={{ maxWidth: 220, textDecoration: hidden.has(id) ? "line-through" : "none" }}
            >
              {seriesName(name)}
            </Typography>
          </ButtonBase>
        </li>
      ))}
      {hasEarlier && <Sign dash="6 4" text="earlier period" />}
      {hasPartial && <Sign dash="2 3" text="not over yet, or cut by the range" />}
    </Box>
  );
}

function Sign({ dash, text }: { dash: string; text: string }) {
  return (
    <Box
      component="li"
      sx={{ display: "flex", alignItems: "center", gap: 0.75, minHeight: 24, color: "text.secondary" }}
    >
      <svg width="20" height="4" aria-hidden="true">
        <line x1="0" x2="20" y1="2" y2="2" stroke="currentColor" strokeWidth="2" strokeDasharray={dash} />
      </svg>
      <Typography variant="caption">{text}</Typography>
    </Box>
  );
}

/** Names of ours as people read them; names of theirs as they are. */
export function seriesName(name: string): string {
  return /^[a-z]+(_[a-z0-9]+)+$/.test(name) ? label(name) : name;
}
