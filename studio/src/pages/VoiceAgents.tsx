/** How calls of voice agents end, how long callers wait, and how often agents are interrupted. */
import { ChartPanel } from "../panel/ChartPanel";
import { TablePanel } from "../panel/TablePanel";
import { TotalsPanel } from "../panel/TotalsPanel";
import { ToTrace } from "../panels/ToTrace";
import { Grid } from "./grid";

export default function VoiceAgents() {
  return (
    <Grid>
      <TotalsPanel path="/api/v1/voice-agents/totals" expected={13} />
      <ChartPanel
        path="/api/v1/voice-agents/charts/calls"
        counts="Calls that ended, in each bucket, by how they ended or by what they are split by."
      />
      <ChartPanel path="/api/v1/voice-agents/charts/containment-rate" />
      <ChartPanel path="/api/v1/voice-agents/charts/response-latency" choices={["stage", "quantile"]} span={12} />
      <ChartPanel path="/api/v1/voice-agents/charts/interruption-rate" />
      <ChartPanel path="/api/v1/voice-agents/charts/dead-air" choices={["share_of"]} />
      <TablePanel
        path="/api/v1/voice-agents/transfer-reasons"
        expected={6}
        columns={["transfer_reason", "calls", "share", "duration_mean_ms"]}
      />
      <TablePanel
        path="/api/v1/voice-agents/calls"
        columns={[
          "time",
          { key: "assistant_code", name: "Assistant" },
          "direction",
          "outcome",
          "transfer_reason",
          "duration_ms",
          "turns",
          "interrupted_turns",
          "first_audio_p95_ms",
          "dead_air_ms",
          { key: "trace_id", name: "Trace", cell: (row) => <ToTrace id={row.trace_id} /> },
        ]}
      />
    </Grid>
  );
}
