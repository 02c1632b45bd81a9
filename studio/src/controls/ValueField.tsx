/** The value, or the values, that a filter compares with; those that are there are suggested. */
import { Autocomplete, TextField } from "@mui/material";
import { about, type ChartPath, type Field } from "../api/client";
import { isNamed } from "../charts/series";
import { usePanel } from "../panel/usePanel";

interface ValueFieldProps {
  field: Field;
  takes: "one" | "list";
  values: string[];
  /** The chart whose groups are the values that there are. */
  chart: ChartPath | undefined;
  /** True = it was tried without a value. */
  isWrong: boolean;
  onChange: (values: string[]) => void;
}

export function ValueField({ field, takes, values, chart, isWrong, onChange }: ValueFieldProps) {
  const options = useValues(chart, field);
  if (takes === "list") {
    return (
      <Autocomplete
        multiple
        freeSolo
        size="small"
        options={options}
        value={values}
        onChange={(_, next) => onChange(next)}
        // What was typed counts though nobody pressed Enter.
        onBlur={(event) => {
          const typed = (event.target as HTMLInputElement).value?.trim();
          if (typed) onChange([...values, typed]);
        }}
        clearOnBlur
        renderInput={(input) => <TextField {...input} label="Values" error={isWrong} helperText="Enter after each" />}
        sx={{ flexGrow: 1, minWidth: 220 }}
      />
    );
  }
  return (
    <Autocomplete
      freeSolo
      size="small"
      options={options}
      inputValue={values[0] ?? ""}
      onInputChange={(_, next) => onChange([next])}
      renderInput={(input) => (
        <TextField
          {...input}
          label="Value"
          error={isWrong}
          autoFocus
          type={field.kind === "number" ? "number" : "text"}
        />
      )}
      sx={{ flexGrow: 1, minWidth: 180 }}
    />
  );
}

const RUNS = "/api/v1/assistants/charts/runs";

/** The values of a field in the range, the most frequent first, where the chart can be split by it. */
function useValues(chart: ChartPath | undefined, field: Field): string[] {
  const split = chart && about(chart).splits.find((split) => nameOf(field) === split);
  const { result } = usePanel({
    path: chart ?? RUNS,
    // Of all rows of the range, whatever they are filtered by now.
    own: { split_by: split, top: "100", filter: undefined, compare: undefined },
    enabled: split !== undefined,
  });
  return (split !== undefined && result.data?.series.filter(isNamed).map(({ id }) => id)) || [];
}

/** A split is by the same word as a field, but for what tells that it is a code. */
function nameOf({ name }: Field): string {
  return name.replace(/^(assistant|agent|status)_(code|id)$/, "$1");
}
