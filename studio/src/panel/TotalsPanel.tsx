/** The cards of a page: totals with their change. */
import { Box, Card, Skeleton, Tooltip, Typography } from "@mui/material";
import type { Schemas, TotalsPath } from "../api/client";
import { problemOf } from "../api/problem";
import { change, numberOf, value } from "../format/numbers";
import { moment } from "../format/times";
import { ProblemState } from "./ProblemState";
import { type PanelQuestion, usePanel } from "./usePanel";

interface TotalsPanelProps extends PanelQuestion<TotalsPath> {
  /** Only these cards, in this order. */
  cards?: string[];
  /** How many there are until they are known. */
  expected: number;
}

export function TotalsPanel({ cards, expected, ...asked }: TotalsPanelProps) {
  const { result, question } = usePanel(asked);
  const totals = result.data?.totals ?? [];
  const shown = cards ? cards.flatMap((id) => totals.filter((total) => total.id === id)) : totals;
  return (
    <Box
      component="section"
      aria-label="Totals"
      aria-busy={result.isFetching}
      data-panel={question.path}
      sx={{
        gridColumn: "1 / -1",
        display: "grid",
        gap: 1.5,
        gridTemplateColumns: { xs: "repeat(2, minmax(0, 1fr))", sm: "repeat(auto-fit, minmax(172px, 1fr))" },
        opacity: result.isPlaceholderData ? 0.55 : 1,
      }}
    >
      {result.isError ? (
        <Card variant="outlined" sx={{ gridColumn: "1 / -1" }}>
          <ProblemState
            problem={problemOf(result.error)}
            onRetry={() => void result.refetch()}
            isAsking={result.isFetching}
          />
        </Card>
      ) : result.data === undefined ? (
        Array.from({ length: cards?.length ?? expected }, (_, index) => (
          <Skeleton key={index} variant="rounded" height={CARD_HEIGHT} />
        ))
      ) : (
        shown.map((total) => <TotalCard key={total.id} total={total} meta={result.data.meta} />)
      )}
    </Box>
  );
}

const CARD_HEIGHT = 124;

function TotalCard({ total, meta }: { total: Schemas["Card"]; meta: Schemas["Meta"] }) {
  const { label, unit, previous } = total;
  const relative = total.change?.relative ?? null;
  return (
    <Card
      variant="outlined"
      data-total={total.id}
      sx={{ p: 1.5, height: CARD_HEIGHT, minWidth: 0, display: "flex", flexDirection: "column" }}
    >
      <Typography variant="body2" component="h2" color="textSecondary" sx={{ lineHeight: 1.25, flexGrow: 1 }}>
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
