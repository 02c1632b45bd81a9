/** What the variants of an experiment did for its goal, and what follows from it. */
import type { ReactNode } from "react";
import { count } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { Verdict } from "../panel/Verdict";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { AnalysisTable } from "./AnalysisTable";

interface ResultsPanelProps {
  of: { experiment_id: string };
  goal: string;
  actions: ReactNode;
}

export function ResultsPanel({ of, goal, actions }: ResultsPanelProps) {
  const { search } = useView();
  const own = {
    goal_event: goal,
    value_field: one(search, "value_field"),
    minimum_effect: one(search, "minimum_effect"),
  };
  const asked = usePanel({
    path: "/api/v1/experiments/{experiment_id}/results",
    of,
    own,
    choices: ["metric_type", "direction", "test"],
  });
  return (
    <Panel asked={asked} height={320} actions={actions}>
      {({ decision, metrics }) => (
        <>
          <Verdict code={decision.code} of={decision.variant} reasons={decision.reasons}>
            {decision.units_needed !== null && decision.units_needed !== undefined && (
              <div>About {count(decision.units_needed)} units of each variant are needed to be certain.</div>
            )}
          </Verdict>
          {metrics.map((metric) => (
            <AnalysisTable key={metric.id} metric={metric} />
          ))}
        </>
      )}
    </Panel>
  );
}
