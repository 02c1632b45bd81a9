/** Did a variant make assistants wronger, slower or dearer? */
import { Typography } from "@mui/material";
import { label } from "../format/names";
import { between, count, duration } from "../format/numbers";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { Verdict } from "../panel/Verdict";
import { AnalysisTable } from "./AnalysisTable";

export function GuardrailsPanel({ of }: { of: { experiment_id: string } }) {
  return (
    <Panel
      asked={usePanel({ path: "/api/v1/experiments/{experiment_id}/guardrails", of })}
      height={240}
      isEmpty={({ metrics }) => metrics.every(({ variants }) => variants.every(({ units }) => units === 0))}
    >
      {({ decision, metrics, latency }) => (
        <>
          <Verdict code={decision.code} of={decision.variant} reasons={decision.reasons} />
          {metrics.map((metric) => (
            <section key={metric.id}>
              <Typography variant="subtitle2" component="h3" sx={{ mt: 2 }}>
                {label(metric.id)}
              </Typography>
              <AnalysisTable metric={metric} />
            </section>
          ))}
          {latency.length > 0 && (
            <section>
              <Typography variant="subtitle2" component="h3" sx={{ mt: 2 }}>
                Latency of runs, p95
              </Typography>
              <DataTable
                caption="Latency of runs"
                columns={[
                  { name: "Variant" },
                  { name: "Runs", isNumber: true },
                  { name: "p95", isNumber: true },
                  { name: "Interval", isNumber: true },
                ]}
                rows={latency.map(({ variant, runs, p95_ms, interval }) => [
                  variant,
                  count(runs),
                  duration(p95_ms),
                  between(interval, duration),
                ])}
              />
            </section>
          )}
        </>
      )}
    </Panel>
  );
}
