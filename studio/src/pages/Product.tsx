/** Who uses the product, what of it, for how long, and what breaks for them. */
import { ChartPanel } from "../panel/ChartPanel";
import { TablePanel } from "../panel/TablePanel";
import { FunnelBuilder } from "../panels/FunnelBuilder";
import { PathsPanel } from "../panels/PathsPanel";
import { RetentionPanel } from "../panels/RetentionPanel";
import { SessionsPanel } from "../panels/SessionsPanel";
import { Grid, Section } from "./grid";

export default function Product() {
  return (
    <Grid>
      <ChartPanel
        path="/api/v1/product/charts/active-users"
        choices={["window"]}
        only={{ series: ["active_users"], unit: "users" }}
      />
      <ChartPanel
        path="/api/v1/product/charts/active-users"
        title="Stickiness"
        counts="Active users of a day on average ÷ active users of the month that ends with it."
        own={{ window: "month" }}
        only={{ series: ["stickiness"], unit: "ratio" }}
      />
      <Section title="Where people go" />
      <FunnelBuilder />
      <RetentionPanel />
      <SessionsPanel />
      <PathsPanel />
      <Section title="What they use" />
      <TablePanel
        path="/api/v1/product/routes"
        expected={8}
        span={6}
        columns={["route_pattern", "views", "users", "views_per_user"]}
      />
      <TablePanel
        path="/api/v1/product/features"
        expected={8}
        span={6}
        columns={["feature", "views", "users", "views_per_user"]}
      />
      <TablePanel
        path="/api/v1/product/adoption"
        expected={8}
        span={6}
        columns={["feature", "users", "adoption_rate", "new_users", "returning_users"]}
      />
      <TablePanel
        path="/api/v1/product/filters"
        span={6}
        columns={[
          "view",
          { key: "filter_key", name: "Filter" },
          "changes",
          "users",
          { key: "value_count_mean", name: "Values, mean" },
        ]}
      />
      <TablePanel
        path="/api/v1/product/chart-interactions"
        span={6}
        columns={["chart", "action", "surface", "interactions", "users"]}
      />
      <TablePanel
        path="/api/v1/product/client-errors"
        span={6}
        columns={["route_pattern", "boundary", "error_class", "errors", "affected_users"]}
      />
    </Grid>
  );
}
