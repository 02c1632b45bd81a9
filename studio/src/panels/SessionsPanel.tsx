/** How long sessions were, and what was done in them. */
import { Box, Stack, Typography } from "@mui/material";
import type { Schemas } from "../api/client";
import { Bar } from "../charts/Bar";
import { count, duration, numberOf, percent, value } from "../format/numbers";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";

const SPREAD = ["mean", "p50", "p90", "p95", "p99"] as const;

export function SessionsPanel() {
  return (
    <Panel
      asked={usePanel({ path: "/api/v1/product/sessions" })}
      span={6}
      height={380}
      isEmpty={({ sessions }) => sessions === 0}
      table={(answer) => ({
        columns: [{ name: "Duration" }, { name: "Sessions", isNumber: true }, { name: "Share", isNumber: true }],
        rows: answer.histogram.map((bin) => [nameOf(bin), count(bin.sessions), value(bin.share, "ratio")]),
      })}
    >
      {(answer) => (
        <Stack spacing={2}>
          <Typography variant="body2">
            {count(answer.sessions)} sessions of {count(answer.users)} users; the client told the end of{" "}
            {count(answer.told_sessions)}.
            {answer.comparison &&
              ` Earlier: ${count(answer.comparison.sessions)} of ${count(answer.comparison.users)}.`}
          </Typography>
          <Histogram bins={answer.histogram} />
          <DataTable
            caption="Sessions"
            columns={[{ name: "Of a session" }, ...SPREAD.map((name) => ({ name, isNumber: true }))]}
            rows={[
              ["Duration", ...SPREAD.map((at) => duration(answer.duration_ms[at]))],
              ["Pages", ...SPREAD.map((at) => value(answer.pages[at], "pages"))],
              ["Interactions", ...SPREAD.map((at) => value(answer.interactions[at], "interactions"))],
            ]}
          />
        </Stack>
      )}
    </Panel>
  );
}

type Bin = Schemas["DurationBin"];

function nameOf({ from_ms, to_ms }: Bin): string {
  return numberOf(to_ms) === null ? `${duration(from_ms)} or more` : `${duration(from_ms)} to ${duration(to_ms)}`;
}

function Histogram({ bins }: { bins: Bin[] }) {
  const most = Math.max(1, ...bins.map(({ sessions }) => sessions));
  return (
    <Box component="ul" aria-label="Sessions by their duration" sx={{ m: 0, p: 0, listStyle: "none" }}>
      {bins.map((bin) => (
        <Box
          component="li"
          key={bin.from_ms}
          sx={{ display: "grid", gridTemplateColumns: "minmax(110px, 30%) 1fr 110px", gap: 1, alignItems: "center" }}
        >
          <Typography variant="caption">{nameOf(bin)}</Typography>
          <Bar part={bin.sessions / most} />
          <Typography variant="caption" sx={{ textAlign: "right" }}>
            {count(bin.sessions)}
            {numberOf(bin.share) !== null && ` · ${percent(bin.share)}`}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}
