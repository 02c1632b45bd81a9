/** One experiment: the verdict, what it rests on, and whether that can be trusted. */
import { Typography } from "@mui/material";
import { useParams } from "@tanstack/react-router";
import { SEQUENCE } from "../charts/Bounds";
import { ChartPanel } from "../panel/ChartPanel";
import { Parameter } from "../panel/Parameter";
import { GuardrailsPanel } from "../panels/GuardrailsPanel";
import { HealthPanel } from "../panels/HealthPanel";
import { ResultsPanel } from "../panels/ResultsPanel";
import { SampleSizePanel } from "../panels/SampleSizePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { Grid } from "./grid";

/** Until another one is chosen. */
const USUAL_GOAL = "success";

export default function Experiment() {
  const { experimentId } = useParams({ from: "/experiments/$experimentId" });
  const { search } = useView();
  const goal_event = one(search, "goal_event") ?? USUAL_GOAL;
  const of = { experiment_id: experimentId };
  return (
    <>
      <Typography variant="h2" sx={{ fontSize: 18, fontWeight: 600, mb: 2, overflowWrap: "anywhere" }}>
        {experimentId}
      </Typography>
      <Grid>
        <ResultsPanel
          of={of}
          goal={goal_event}
          actions={
            <>
              <Parameter name="goal_event" label="Goal: the event" usual={USUAL_GOAL} />
              <Parameter name="value_field" label="Value: data.…" />
              <Parameter name="minimum_effect" label="Effect that matters" />
            </>
          }
        />
        <ChartPanel
          path="/api/v1/experiments/{experiment_id}/charts/conversion"
          of={of}
          own={{ goal_event, minimum_effect: one(search, "minimum_effect") }}
          choices={["show"]}
          counts="Units that reached the goal ÷ units exposed, by the end of each bucket. Bands hold for as many looks as one likes; where those of a lift leave out 0, it is certain."
          bounded={SEQUENCE}
        />
        <ChartPanel path="/api/v1/experiments/{experiment_id}/charts/exposures" of={of} />
        <HealthPanel of={of} />
        <GuardrailsPanel of={of} />
        <SampleSizePanel />
      </Grid>
    </>
  );
}
