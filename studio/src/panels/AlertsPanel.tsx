/** The rules that watch the account, and how each stands. */
import { Alert, Typography } from "@mui/material";
import { label } from "../format/names";
import { count, UNKNOWN, value } from "../format/numbers";
import { ago } from "../format/times";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { StateChip } from "../panel/StateChip";
import { usePanel } from "../panel/usePanel";

export function AlertsPanel() {
  return (
    <Panel
      asked={usePanel({ path: "/api/v1/alerts" })}
      counts="The rules that watch the account, evaluated every minute on minutes and days that are over."
      height={200}
    >
      {({ items, deliveries }) => (
        <>
          {deliveries.dead > 0 && (
            <Alert severity="error" variant="outlined" sx={{ mb: 1 }}>
              {count(deliveries.dead)} messages could not be delivered
              {deliveries.reason ? `: ${deliveries.reason}` : "."}
            </Alert>
          )}
          {items.length === 0 ? (
            <Typography color="textSecondary">
              No rule watches this account. Rules are written into alerts.toml, of which there is an example.
            </Typography>
          ) : (
            <DataTable
              caption="Alerts"
              columns={[
                { name: "Rule" },
                { name: "State" },
                { name: "Since" },
                { name: "Found", isNumber: true },
                { name: "Fires", isNumber: true },
                { name: "Window" },
                { name: "Told to" },
                { name: "What to do", isProse: true },
              ]}
              rows={items.map((rule) => [
                rule.rule,
                <StateChip key="state" code={rule.is_silenced ? "silenced" : rule.state} />,
                rule.since ? ago(rule.since) : UNKNOWN,
                value(rule.value, unitOf(rule.metric, rule.compared_with)),
                `${rule.side} ${value(rule.threshold, unitOf(rule.metric, rule.compared_with))}`,
                rule.window,
                rule.channel ?? "nobody",
                rule.summary || label(rule.metric),
              ])}
            />
          )}
        </>
      )}
    </Panel>
  );
}

function unitOf(metric: string, compared: string | null | undefined): string {
  if (compared) return "ratio";
  if (/rate|share/.test(metric)) return "ratio";
  if (/latency|_ms|first_(token|audio)/.test(metric)) return "ms";
  return /cost/.test(metric) ? "usd" : "count";
}
