/** What assistants suggest to agents, and what becomes of it. */
import { ChartPanel } from "../panel/ChartPanel";
import { TablePanel } from "../panel/TablePanel";
import { TotalsPanel } from "../panel/TotalsPanel";
import { RecommendationsFunnel } from "../panels/RecommendationsFunnel";
import { Grid } from "./grid";

export default function Recommendations() {
  return (
    <Grid>
      <TotalsPanel
        path="/api/v1/recommendations/totals"
        counts="What agents sent, and what of it came from suggestions; each beside its value in the period before."
        expected={10}
      />
      <ChartPanel path="/api/v1/recommendations/charts/assisted-text-per-source" span={12} />
      <ChartPanel path="/api/v1/recommendations/charts/acceptance-rate" />
      <ChartPanel path="/api/v1/recommendations/charts/assisted-share" />
      <ChartPanel path="/api/v1/recommendations/charts/series" choices={["metric"]} span={12} />
      <RecommendationsFunnel />
      <TablePanel
        path="/api/v1/recommendations/agents"
        columns={[
          { key: "agent_name", name: "Agent", cell: (row) => row.agent_name ?? row.agent_id },
          "messages",
          "assisted_share",
          "shown",
          "accepted",
          "acceptance_rate",
          "characters_saved",
        ]}
      />
    </Grid>
  );
}
