/** The runs of assistants, the newest first. */
import { Button, Stack, Table, TableBody, TableCell, TableContainer, TableHead, TableRow } from "@mui/material";
import { about, type Schemas } from "../api/client";
import { count, duration, money, UNKNOWN } from "../format/numbers";
import { moment } from "../format/times";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { ToTrace } from "../panels/ToTrace";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { Grid } from "./grid";

const PATH = "/api/v1/assistants/traces";

export default function Traces() {
  const { search, set } = useView();
  const cursor = one(search, "cursor");
  const { question, without, result, view } = usePanel({
    path: PATH,
    choices: ["filter_on"],
    own: { cursor, limit: "25" },
  });
  return (
    <Grid>
      <Panel
        title={about(PATH).title}
        question={question}
        without={without}
        result={result}
        height={25 * 37 + 90}
        choices={["filter_on"]}
        isEmpty={({ items }) => items.length === 0 && cursor === undefined}
      >
        {({ items, page }) => (
          <>
            <TableContainer tabIndex={0} role="group" aria-label="Traces, rows">
              <Table size="small" aria-label="Traces">
                <TableHead>
                  <TableRow>
                    <TableCell>Began</TableCell>
                    <TableCell>Run</TableCell>
                    <TableCell>Assistant</TableCell>
                    <TableCell>Version</TableCell>
                    <TableCell>Status</TableCell>
                    <TableCell align="right">Took</TableCell>
                    <TableCell align="right">Spans</TableCell>
                    <TableCell align="right">Calls</TableCell>
                    <TableCell align="right">Tokens</TableCell>
                    <TableCell align="right">Cost</TableCell>
                  </TableRow>
                </TableHead>
                <TableBody>
                  {items.map((run) => (
                    <Run key={run.trace_id} run={run} zone={view.timezone} />
                  ))}
                </TableBody>
              </Table>
            </TableContainer>
            <Stack direction="row" spacing={1} sx={{ mt: 1 }}>
              {cursor !== undefined && <Button onClick={() => set("cursor", undefined)}>Newest</Button>}
              {page.next_cursor && <Button onClick={() => set("cursor", page.next_cursor ?? undefined)}>Older</Button>}
            </Stack>
          </>
        )}
      </Panel>
    </Grid>
  );
}

function Run({ run, zone }: { run: Schemas["Run"]; zone: string }) {
  const isFailed = run.status === "ERROR" || (run.status === "UNSET" && run.error_type);
  return (
    <TableRow hover sx={{ "td, th": { whiteSpace: "nowrap" } }}>
      <TableCell>{moment(run.start_time, zone)}</TableCell>
      <TableCell sx={{ maxWidth: 280, overflow: "hidden", textOverflow: "ellipsis" }}>
        <ToTrace id={run.trace_id}>{run.name || run.trace_id}</ToTrace>
      </TableCell>
      <TableCell>{run.assistant_code ?? UNKNOWN}</TableCell>
      <TableCell>{run.assistant_version ?? UNKNOWN}</TableCell>
      <TableCell sx={isFailed ? { color: "error.main", fontWeight: 600 } : {}}>
        {isFailed ? `failed${run.error_type ? `: ${run.error_type}` : ""}` : "went well"}
      </TableCell>
      <TableCell align="right">
        {run.duration_ms === null || run.duration_ms === undefined ? UNKNOWN : duration(run.duration_ms)}
      </TableCell>
      <TableCell align="right">{count(run.spans)}</TableCell>
      <TableCell align="right">{count(run.calls)}</TableCell>
      <TableCell align="right">{count(run.input_tokens + run.output_tokens)}</TableCell>
      <TableCell align="right">{money(Number(run.cost_usd))}</TableCell>
    </TableRow>
  );
}
