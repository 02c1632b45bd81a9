/** One trace as a timeline: what ran when, below what, and what the run waited for. */
import { Box, Stack, Typography } from "@mui/material";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { about, type Schemas } from "../api/client";
import { count, duration, money } from "../format/numbers";
import { moment } from "../format/times";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { SpanDetails } from "../panels/SpanDetails";
import { Timeline } from "../panels/Timeline";
import { Grid } from "./grid";

const PATH = "/api/v1/assistants/traces/{trace_id}";

export default function Trace() {
  const { traceId } = useParams({ from: "/traces/$traceId" });
  const [chosen, setChosen] = useState<string | null>(null);
  const asked = usePanel({ path: PATH, of: { trace_id: traceId } });
  return (
    <Grid>
      <Panel
        asked={asked}
        title={`${about(PATH).title} ${traceId}`}
        height={480}
        isEmpty={({ spans }) => spans.length === 0}
        table={({ spans }) => ({
          columns: [
            { name: "Span" },
            { name: "Began after", isNumber: true },
            { name: "Took", isNumber: true },
            { name: "Waited for", isNumber: true },
            { name: "Model or tool" },
            { name: "Status" },
          ],
          rows: spans.map((span) => [
            `${"· ".repeat(span.depth)}${span.name}`,
            duration(span.offset_ms),
            duration(span.duration_ms),
            duration(span.critical_ms),
            span.model ?? span.tool_name ?? "",
            span.error_type ?? span.status,
          ]),
        })}
      >
        {(trace) => (
          <>
            <Totals trace={trace} zone={asked.view.timezone} />
            <Timeline trace={trace} onChoose={setChosen} />
            <SpanDetails
              span={trace.spans.find(({ span_id }) => span_id === chosen) ?? null}
              zone={asked.view.timezone}
              onClose={() => setChosen(null)}
            />
          </>
        )}
      </Panel>
    </Grid>
  );
}

function Totals({ trace, zone }: { trace: Schemas["Trace"]; zone: string }) {
  const { totals } = trace;
  const facts = [
    ["Began", moment(trace.start_time, zone)],
    ["Took", duration(trace.duration_ms)],
    ["Spans", `${count(totals.spans)}, ${count(totals.failed_spans)} failed`],
    ["Calls", `${count(totals.calls)} of models, ${count(totals.tool_calls)} of tools`],
    ["Tokens", `${count(totals.input_tokens)} in, ${count(totals.output_tokens)} out`],
    ["Cost", money(totals.cost_usd)],
    ["Models", totals.models.join(", ")],
  ];
  return (
    <Stack component="dl" direction="row" useFlexGap sx={{ flexWrap: "wrap", columnGap: 3, rowGap: 1, m: 0, mb: 2 }}>
      {facts.map(([name, text]) => (
        <Box key={name}>
          <Typography component="dt" variant="caption" color="textSecondary">
            {name}
          </Typography>
          <Typography component="dd" variant="body2" sx={{ m: 0 }}>
            {text}
          </Typography>
        </Box>
      ))}
    </Stack>
  );
}
