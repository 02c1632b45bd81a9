/** A funnel of one's own: steps in their order, and how many came through each. */
import Add from "@mui/icons-material/Add";
import Close from "@mui/icons-material/Close";
import { Button, IconButton, Stack } from "@mui/material";
import type { Schemas } from "../api/client";
import { Bar } from "../charts/Bar";
import { Interval } from "../charts/Interval";
import { between, count, duration, parts, percent, withPrevious } from "../format/numbers";
import { DataTable, type TableOf } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { Parameter } from "../panel/Parameter";
import { unknownHere } from "../panel/question";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { all, one } from "../view/view";
import { EventField } from "./EventField";

const USUAL = ["page_viewed", "filter_changed", "chart_interacted"];
const MOST_STEPS = 10;

export function FunnelBuilder() {
  const { search, set } = useView();
  const given = all(search, "steps");
  const steps = given.length >= 2 ? given : USUAL;
  const window = one(search, "funnel.window");
  const asked = usePanel({ path: "/api/v1/product/funnel", choices: ["order", "unit"], own: { steps, window } });
  const put = (next: string[]) => set("steps", next);
  return (
    <Panel
      asked={given.length === 1 ? { ...asked, without: [...asked.without, unknownHere("steps", given[0]!)] } : asked}
      height={260}
      isEmpty={({ steps: found }) => (found[0]?.units ?? 0) === 0}
      actions={
        <Stack spacing={1} sx={{ width: 1 }}>
          {steps.map((step, index) => (
            <Stack key={index} direction="row" spacing={0.5} sx={{ alignItems: "center" }}>
              <EventField
                label={`Step ${index + 1}`}
                event={step}
                onChange={(next) => put(steps.map((one, at) => (at === index ? next : one)))}
              />
              {steps.length > 2 && (
                <IconButton
                  size="small"
                  aria-label={`Remove step ${index + 1}`}
                  onClick={() => put(steps.filter((_, at) => at !== index))}
                >
                  <Close fontSize="small" />
                </IconButton>
              )}
            </Stack>
          ))}
          <Stack direction="row" spacing={1}>
            {steps.length < MOST_STEPS && (
              <Button size="small" startIcon={<Add />} onClick={() => put([...steps, "feature_viewed"])}>
                Step
              </Button>
            )}
            <Parameter name="funnel.window" label="Within" placeholder="7d" />
          </Stack>
        </Stack>
      }
    >
      {({ steps: found }) => (
        <DataTable
          caption="Funnel"
          columns={[
            { name: "Step", sx: { maxWidth: 260, overflow: "hidden", textOverflow: "ellipsis" } },
            { name: "Came", isNumber: true },
            { name: "Of the first step", sx: { width: "25%", minWidth: 120 } },
            { name: "From the step before", isNumber: true },
            { name: "Interval of 95 %" },
            { name: "Time from the step before, p50", isNumber: true },
          ]}
          rows={found.map((step) => rowOf(step, steps[step.step - 1] ?? step.event))}
        />
      )}
    </Panel>
  );
}

function rowOf(step: Schemas["ProductFunnelStep"], written: string): TableOf["rows"][number] {
  return [
    { shows: written, title: written },
    count(step.units),
    {
      shows: (
        <>
          {percent(step.conversion_rate)}
          <Bar part={step.conversion_rate} height={8} />
        </>
      ),
      title: parts(step.conversion_rate_numerator, step.conversion_rate_denominator),
    },
    {
      shows: withPrevious(step.step_rate, step.previous_step_rate),
      title: parts(step.step_rate_numerator, step.step_rate_denominator),
    },
    step.interval && (
      <Interval
        value={step.conversion_rate}
        interval={step.interval}
        domain={[0, 1]}
        name={between(step.interval, percent)}
      />
    ),
    duration(step.from_previous_p50_ms),
  ];
}
