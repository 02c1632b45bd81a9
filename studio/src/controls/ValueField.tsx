/** The value, or the values, that a filter compares with; those that are there are suggested. */
import { Autocomplete, TextField } from "@mui/material";
import { useQuery } from "@tanstack/react-query";
import { about, ask, type ChartPath, type Field } from "../api/client";
import { isNamed } from "../charts/series";
import { questionOf } from "../panel/question";
import { useView } from "../view/useView";

interface ValueFieldProps {
  field: Field;
  takes: "one" | "list";
  values: string[];
  /** The chart whose groups are the values that there are. */
  chart: ChartPath | undefined;
  onChange: (values: string[]) => void;
}

export function ValueField({ field, takes, values, chart, onChange }: ValueFieldProps) {
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
        renderInput={(input) => <TextField {...input} label="Values" helperText="Enter after each" />}
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
        <TextField {...input} label="Value" autoFocus type={field.kind === "number" ? "number" : "text"} />
      )}
      sx={{ flexGrow: 1, minWidth: 180 }}
    />
  );
}

/** The values of a field in the range, the most frequent first, where the chart can be split by it. */
function useValues(chart: ChartPath | undefined, field: Field): string[] {
  const { view } = useView();
  const split = chart && about(chart).splits.find((split) => nameOf(field) === split);
  const { data } = useQuery({
    queryKey: [chart, "values of", split, view.range, view.timezone],
    queryFn: async ({ signal }) => {
      const whole = { ...view, comparison: "none" as const, filters: [] };
      const { question } = questionOf(chart!, about(chart!), {
        view: whole,
        search: {},
        own: { split_by: split, top: "100" },
      });
      const { series } = await ask(question, signal);
      return series.filter(isNamed).map(({ id }) => id);
    },
    enabled: split !== undefined,
  });
  return (split !== undefined && data) || [];
}

/** A split is by the same word as a field, but for what tells that it is a code. */
function nameOf({ name }: Field): string {
  return name.replace(/^(assistant|agent|status)_(code|id)$/, "$1");
}
