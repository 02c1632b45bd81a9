/** Did a variant make assistants wronger, slower or dearer? */
import { Typography } from "@mui/material";
import { about } from "../api/client";
import { label } from "../format/names";
import { duration, UNKNOWN } from "../format/numbers";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { Verdict } from "../panel/Verdict";
import { AnalysisTable } from "./AnalysisTable";

const PATH = "/api/v1/experiments/{experiment_id}/guardrails";

export function GuardrailsPanel({ of }: { of: { experiment_id: string } }) {
  const { question, without, result } = usePanel({ path: PATH, of });
  return (
    <Panel
      title={about(PATH).title}
      question={question}
      without={without}
      result={result}
      height={420}
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
                  runs,
                  p95_ms === null || p95_ms === undefined ? UNKNOWN : duration(p95_ms),
                  interval ? `${duration(interval[0]!)} to ${duration(interval[1]!)}` : UNKNOWN,
                ])}
              />
            </section>
          )}
        </>
      )}
    </Panel>
  );
}
