/** How many units an experiment takes until a difference is found. */
import { Stack, TextField, Typography } from "@mui/material";
import { useState } from "react";
import { count, numberOf, percent } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";

const FIELDS = [
  ["baseline_rate", "Rate of the baseline"],
  ["minimum_effect", "Relative effect to be found"],
  ["alpha", "False alarms (alpha)"],
  ["power", "Found when there (power)"],
] as const;

export function SampleSizePanel() {
  const [values, setValues] = useState<Record<string, string>>({
    baseline_rate: "0.1",
    minimum_effect: "0.1",
    alpha: "0.05",
    power: "0.8",
  });
  const isWhole = FIELDS.every(([name]) => values[name]?.trim() !== "" && Number.isFinite(Number(values[name])));
  const asked = usePanel({ path: "/api/v1/experiments/sample-size", own: values, enabled: isWhole });
  return (
    <Panel
      asked={asked}
      counts="Units of each variant until a difference of this size is found, at one look when they have come."
      height={80}
      actions={FIELDS.map(([name, said]) => (
        <TextField
          key={name}
          size="small"
          label={said}
          value={values[name]}
          onChange={(event) => setValues({ ...values, [name]: event.target.value })}
          error={!Number.isFinite(Number(values[name])) || values[name]?.trim() === ""}
          slotProps={{ htmlInput: { inputMode: "decimal" } }}
          sx={{ width: 220 }}
        />
      ))}
    >
      {(answer) => (
        <Stack>
          <Typography sx={{ fontSize: 28, fontWeight: 600 }}>
            {numberOf(answer.units_per_variant) === null
              ? "No number of units is enough"
              : `${count(answer.units_per_variant)} units of each variant`}
          </Typography>
          {numberOf(answer.variant_rate) !== null && (
            <Typography variant="body2" color="textSecondary">
              To tell {percent(answer.variant_rate)} from {percent(answer.baseline_rate)}, at one look when they have
              come.
            </Typography>
          )}
        </Stack>
      )}
    </Panel>
  );
}
