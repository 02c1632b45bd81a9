/** A funnel of one's own: steps in their order, and how many came through each. */
import Add from "@mui/icons-material/Add";
import Close from "@mui/icons-material/Close";
import {
  Box,
  Button,
  IconButton,
  Stack,
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableRow,
  TextField,
} from "@mui/material";
import { about, type Schemas } from "../api/client";
import { Interval } from "../charts/Interval";
import { count, duration, percent, UNKNOWN } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { all, one } from "../view/view";
import { EventField } from "./EventField";

const PATH = "/api/v1/product/funnel";
const USUAL = ["page_viewed", "filter_changed", "chart_interacted"];
const MOST_STEPS = 10;

export function FunnelBuilder() {
  const { search, set } = useView();
  const steps = all(search, "steps").length >= 2 ? all(search, "steps") : USUAL;
  const window = one(search, "funnel.window");
  const choices = ["order", "unit"];
  const { question, without, result } = usePanel({ path: PATH, choices, own: { steps, window } });
  const put = (next: string[]) => set("steps", next);
  return (
    <Panel
      title={about(PATH).title}
      question={question}
      without={without}
      result={result}
      height={260}
      choices={choices}
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
            <TextField
              key={window}
              size="small"
              label="Within"
              placeholder="7d"
              defaultValue={window ?? ""}
              onBlur={(event) => set("funnel.window", event.target.value.trim() || undefined)}
              slotProps={{ inputLabel: { shrink: true } }}
              sx={{ width: 110 }}
            />
          </Stack>
        </Stack>
      }
    >
      {({ steps: found }) => (
        <Box sx={{ overflowX: "auto" }} tabIndex={0} role="group" aria-label="Funnel, rows">
          <Table size="small" aria-label="Funnel">
            <TableHead>
              <TableRow>
                <TableCell>Step</TableCell>
                <TableCell align="right">Came</TableCell>
                <TableCell sx={{ width: "25%", minWidth: 90 }}>Of the first step</TableCell>
                <TableCell align="right">From the step before</TableCell>
                <TableCell>Interval of 95 %</TableCell>
                <TableCell align="right">Time from the step before, p50</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {found.map((step) => (
                <Step key={step.step} step={step} written={steps[step.step - 1] ?? step.event} />
              ))}
            </TableBody>
          </Table>
        </Box>
      )}
    </Panel>
  );
}

function Step({ step, written }: { step: Schemas["ProductFunnelStep"]; written: string }) {
  const share = step.conversion_rate ?? 0;
  return (
    <TableRow>
      <TableCell
        component="th"
        scope="row"
        title={written}
        sx={{ maxWidth: 260, overflow: "hidden", textOverflow: "ellipsis" }}
      >
        {written}
      </TableCell>
      <TableCell align="right">{count(step.units)}</TableCell>
      <TableCell title={`${count(step.conversion_rate_numerator)} ÷ ${count(step.conversion_rate_denominator)}`}>
        <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
          <Box
            aria-hidden
            sx={{ height: 14, borderRadius: 0.5, bgcolor: "primary.main", width: `${share * 100}%`, minWidth: 2 }}
          />
          {step.conversion_rate === null || step.conversion_rate === undefined
            ? UNKNOWN
            : percent(step.conversion_rate)}
        </Box>
      </TableCell>
      <TableCell
        align="right"
        title={
          step.step_rate_denominator === null || step.step_rate_denominator === undefined
            ? ""
            : `${count(step.step_rate_numerator)} ÷ ${count(step.step_rate_denominator)}`
        }
      >
        {step.step_rate === null || step.step_rate === undefined ? UNKNOWN : percent(step.step_rate)}
        {step.previous_step_rate !== null &&
          step.previous_step_rate !== undefined &&
          ` (was ${percent(step.previous_step_rate)})`}
      </TableCell>
      <TableCell>
        {step.interval && (
          <Interval
            value={step.conversion_rate}
            interval={step.interval}
            domain={[0, 1]}
            name={`${percent(step.interval[0]!)} to ${percent(step.interval[1]!)}`}
          />
        )}
      </TableCell>
      <TableCell align="right">
        {step.from_previous_p50_ms === null || step.from_previous_p50_ms === undefined
          ? UNKNOWN
          : duration(step.from_previous_p50_ms)}
      </TableCell>
    </TableRow>
  );
}
