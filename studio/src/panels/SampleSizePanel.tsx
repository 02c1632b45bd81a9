/** How many units an experiment takes until a difference is found. */
import { Stack, TextField, Typography } from "@mui/material";
import { useState } from "react";
import { about } from "../api/client";
import { count, percent } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";

const PATH = "/api/v1/experiments/sample-size";
const FIELDS = [
  ["baseline_rate", "Rate of the baseline"],
  ["minimum_effect", "Relative effect to be found"],
  ["alpha", "Found where there is none (alpha)"],
  ["power", "Found where there is one (power)"],
] as const;

export function SampleSizePanel() {
  const [values, setValues] = useState<Record<string, string>>({
    baseline_rate: "0.1",
    minimum_effect: "0.1",
    alpha: "0.05",
    power: "0.8",
  });
  const isWhole = FIELDS.every(([name]) => values[name]?.trim() !== "" && Number.isFinite(Number(values[name])));
  const { question, result } = usePanel({ path: PATH, own: values, enabled: isWhole });
  return (
    <Panel
      title={about(PATH).title}
      counts="Units of each variant until a difference of this size is found, at one look when they have come."
      question={question}
      result={result}
      height={80}
      hasCsv={false}
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
            {answer.units_per_variant === null || answer.units_per_variant === undefined
              ? "No number of units is enough"
              : `${count(answer.units_per_variant)} units of each variant`}
          </Typography>
          {answer.baseline_rate !== null &&
            answer.baseline_rate !== undefined &&
            answer.variant_rate !== null &&
            answer.variant_rate !== undefined && (
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
