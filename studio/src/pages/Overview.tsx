/** What matters of everything: what asks for attention, the totals, and one chart of each kind. */

import { ChartPanel } from "../panel/ChartPanel";
import { TotalsPanel } from "../panel/TotalsPanel";
import { AttentionPanel } from "../panels/AttentionPanel";
import { Grid, Section } from "./grid";

export default function Overview() {
  return (
    <Grid>
      <TotalsPanel
        path="/api/v1/assistants/totals"
        title="Assistants"
        cards={["runs", "error_rate", "latency_p95", "cost"]}
        expected={4}
      />
      <TotalsPanel
        path="/api/v1/recommendations/totals"
        title="Recommendations"
        counts="What agents sent, and what of it came from suggestions; each beside its value in the period before."
        cards={["messages", "assisted_share", "acceptance_rate", "active_agents"]}
        expected={4}
      />
      <AttentionPanel />
      <ChartPanel path="/api/v1/assistants/charts/error-rate" />
      <ChartPanel path="/api/v1/assistants/charts/cost" own={{ split_by: "assistant" }} title="Cost, by assistant" />
      <ChartPanel path="/api/v1/recommendations/charts/assisted-text-per-source" />
      <ChartPanel
        path="/api/v1/voice-agents/charts/calls"
        title="Voice calls, by outcome"
        counts="Calls that ended, in each bucket, by how they ended."
        own={{ split_by: "outcome" }}
      />
      <Section title="Who uses the product" />
      <ChartPanel
        path="/api/v1/product/charts/active-users"
        only={{ series: ["active_users"], unit: "users" }}
        own={{ window: "week" }}
        title="Active users, of seven days"
        span={12}
      />
    </Grid>
  );
}
