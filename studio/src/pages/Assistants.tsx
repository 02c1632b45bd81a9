/** What assistants do, how often they fail, and what that costs. */
import { ChartPanel } from "../panel/ChartPanel";
import { TablePanel } from "../panel/TablePanel";
import { TotalsPanel } from "../panel/TotalsPanel";
import { AnomaliesPanel } from "../panels/AnomaliesPanel";
import { RegressionsPanel } from "../panels/RegressionsPanel";
import { ServiceLevelsPanel } from "../panels/ServiceLevelsPanel";
import { ToTrace } from "../panels/ToTrace";
import { Grid, Section } from "./grid";

export default function Assistants() {
  return (
    <Grid>
      <TotalsPanel path="/api/v1/assistants/totals" expected={15} />
      <ChartPanel path="/api/v1/assistants/charts/runs" />
      <ChartPanel path="/api/v1/assistants/charts/error-rate" />
      <ChartPanel path="/api/v1/assistants/charts/latency" choices={["quantile"]} />
      <ChartPanel path="/api/v1/assistants/charts/time-to-first-token" choices={["quantile"]} />
      <ChartPanel path="/api/v1/assistants/charts/tokens" choices={["tokens"]} />
      <ChartPanel path="/api/v1/assistants/charts/cost" />
      <Section title="What is unusual" />
      <ServiceLevelsPanel />
      <AnomaliesPanel />
      <RegressionsPanel />
      <Section title="Who, with what" />
      <TablePanel
        path="/api/v1/assistants"
        expected={8}
        columns={[
          {
            key: "assistant_name",
            name: "Assistant",
            cell: (row) => row.assistant_name ?? row.assistant_code ?? "–",
            sorts: false,
          },
          "runs",
          "error_rate",
          "p50_ms",
          "p95_ms",
          "conversations",
          "input_tokens",
          "output_tokens",
          "cost_usd",
        ]}
      />
      <TablePanel
        path="/api/v1/assistants/models"
        columns={[
          "model",
          "provider",
          "calls",
          "error_rate",
          "p50_ms",
          "p95_ms",
          "first_token_p95_ms",
          "input_tokens",
          "output_tokens",
          "cost_usd",
        ]}
      />
      <TablePanel
        path="/api/v1/assistants/tools"
        span={6}
        columns={["tool_name", "calls", "success_rate", "timeouts", "p50_ms", "p95_ms"]}
      />
      <TablePanel
        path="/api/v1/assistants/operations"
        span={6}
        columns={["operation", "spans", "error_rate", "p50_ms", "p95_ms"]}
      />
      <TablePanel
        path="/api/v1/assistants/errors"
        expected={8}
        columns={[
          "error_type",
          "spans",
          "traces",
          "conversations",
          "first_seen",
          "last_seen",
          { key: "newest_trace_id", name: "Newest trace", cell: (row) => <ToTrace id={row.newest_trace_id} /> },
        ]}
      />
      <TablePanel
        path="/api/v1/assistants/customers"
        columns={[
          { key: "user_id_hash", name: "User (digest)" },
          "runs",
          "conversations",
          "calls",
          "input_tokens",
          "output_tokens",
          "cost_usd",
        ]}
      />
    </Grid>
  );
}
