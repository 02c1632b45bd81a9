/** How long sessions were, and what was done in them. */
import { Box, Stack, Table, TableBody, TableCell, TableHead, TableRow, Typography } from "@mui/material";
import { about, type Schemas } from "../api/client";
import { count, duration, percent, value } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";

const PATH = "/api/v1/product/sessions";
const SPREAD = ["mean", "p50", "p75", "p90", "p95", "p99"] as const;

export function SessionsPanel() {
  const { question, without, result } = usePanel({ path: PATH });
  return (
    <Panel
      title={about(PATH).title}
      question={question}
      without={without}
      result={result}
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
          <Box sx={{ overflowX: "auto" }} tabIndex={0} role="group" aria-label="Sessions, rows">
            <Table size="small" aria-label="Sessions">
              <TableHead>
                <TableRow>
                  <TableCell />
                  {SPREAD.map((name) => (
                    <TableCell key={name} align="right">
                      {name}
                    </TableCell>
                  ))}
                </TableRow>
              </TableHead>
              <TableBody>
                {(["duration_ms", "pages", "interactions"] as const).map((name) => (
                  <TableRow key={name}>
                    <TableCell component="th" scope="row">
                      {{ duration_ms: "Duration", pages: "Pages", interactions: "Interactions" }[name]}
                    </TableCell>
                    {SPREAD.map((at) => (
                      <TableCell key={at} align="right" sx={{ whiteSpace: "nowrap" }}>
                        {value(answer[name][at], name === "duration_ms" ? "ms" : "count")}
                      </TableCell>
                    ))}
                  </TableRow>
                ))}
              </TableBody>
            </Table>
          </Box>
        </Stack>
      )}
    </Panel>
  );
}

type Bin = Schemas["DurationBin"];

function nameOf({ from_ms, to_ms }: Bin): string {
  return to_ms === null || to_ms === undefined
    ? `${duration(from_ms)} or more`
    : `${duration(from_ms)} to ${duration(to_ms)}`;
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
          <Box
            sx={{ height: 12, borderRadius: 0.5, bgcolor: "primary.main", width: `${(bin.sessions / most) * 100}%` }}
          />
          <Typography variant="caption" sx={{ textAlign: "right" }}>
            {count(bin.sessions)}
            {bin.share !== null && bin.share !== undefined && ` · ${percent(bin.share)}`}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}
