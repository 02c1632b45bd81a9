/** The cards of a page: totals with their change. */
import { Box, Card, Tooltip, Typography } from "@mui/material";
import type { Schemas, TotalsPath } from "../api/client";
import { change, numberOf, value } from "../format/numbers";
import { moment } from "../format/times";
import { Panel } from "./Panel";
import { type PanelQuestion, usePanel } from "./usePanel";

interface TotalsPanelProps extends PanelQuestion<TotalsPath> {
  title?: string;
  counts?: string;
  /** Only these cards, in this order. */
  cards?: string[];
  /** How many there are until they are known. */
  expected: number;
}

export function TotalsPanel({ title, counts, cards, expected, ...question }: TotalsPanelProps) {
  const asked = usePanel(question);
  const rows = Math.ceil((cards?.length ?? expected) / 6);
  return (
    <Panel asked={asked} title={title} counts={counts} isBare height={rows * (CARD_HEIGHT + GAP) - GAP}>
      {({ totals, meta }) => {
        const shown = cards ? cards.flatMap((id) => totals.filter((total) => total.id === id)) : totals;
        return (
          <Box
            sx={{
              display: "grid",
              gap: `${GAP}px`,
              gridTemplateColumns: { xs: "repeat(2, minmax(0, 1fr))", sm: "repeat(auto-fit, minmax(172px, 1fr))" },
            }}
          >
            {shown.map((total) => (
              <TotalCard key={total.id} total={total} meta={meta} />
            ))}
          </Box>
        );
      }}
    </Panel>
  );
}

const [CARD_HEIGHT, GAP] = [124, 12];

function TotalCard({ total, meta }: { total: Schemas["Card"]; meta: Schemas["Meta"] }) {
  const { label, unit, previous } = total;
  const relative = total.change?.relative ?? null;
  return (
    <Card
      variant="outlined"
      data-total={total.id}
      sx={{ p: 1.5, height: CARD_HEIGHT, minWidth: 0, display: "flex", flexDirection: "column" }}
    >
      <Typography variant="body2" component="h3" color="textSecondary" sx={{ lineHeight: 1.25, flexGrow: 1 }}>
        {label}
      </Typography>
      <Tooltip
        title={`${numberOf(total.value) ?? "not known"} · ${moment(meta.range.from, meta.timezone)} to ${moment(meta.range.to, meta.timezone)}`}
      >
        <Typography
          sx={{ fontSize: { xs: 19, sm: 24 }, fontWeight: 600, fontVariantNumeric: "tabular-nums", lineHeight: 1.3 }}
          noWrap
        >
          {value(total.value, unit)}
        </Typography>
      </Tooltip>
      <Typography variant="caption" color="textSecondary" noWrap sx={{ minHeight: 18 }}>
        {relative !== null && (
          <Box component="strong">
            {arrow(relative)} {change(relative)}
          </Box>
        )}
        {previous !== null && previous !== undefined && ` was ${value(previous, unit)}`}
      </Typography>
    </Card>
  );
}

/** Whether more is better depends on what it is, so a change has no colour. */
function arrow(relative: number): string {
  return relative > 0 ? "▲" : relative < 0 ? "▼" : "=";
}
