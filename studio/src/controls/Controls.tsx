/** The controls, the same on every page: when, where, how finely, beside what, of what, and told apart by what. */
import { Autocomplete, Box, MenuItem, TextField } from "@mui/material";
import type { ChartPath, Field } from "../api/client";
import { label } from "../format/names";
import { useView } from "../view/useView";
import { COMPARISONS, type Comparison, LEVELS, type Level, ownZone } from "../view/view";
import { FilterControl } from "./FilterControl";
import { RangeControl } from "./RangeControl";

export interface ControlsProps {
  /** Fields that the page can be filtered by. */
  fields: Field[];
  /** Dimensions that its charts can be split by. */
  splits: string[];
  /** The chart whose groups are suggested as values of filters. */
  chart?: ChartPath | undefined;
}

export function Controls({ fields, splits, chart }: ControlsProps) {
  const { view, change } = useView();
  return (
    <Box
      role="group"
      aria-label="View"
      sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1, minHeight: 40 }}
    >
      <RangeControl range={view.range} zone={view.timezone} onChange={(range) => change({ range })} />
      <Autocomplete
        size="small"
        disableClearable
        options={zones()}
        value={view.timezone}
        onChange={(_, timezone) => change({ timezone })}
        renderInput={(input) => <TextField {...input} label="Time zone" />}
        sx={{ width: 240 }}
      />
      <Choice
        name="Aggregation"
        value={view.level}
        options={LEVELS.map((level) => [level, label(level)])}
        onChange={(level) => change({ level: level as Level })}
      />
      <Choice
        name="Comparison"
        value={view.comparison}
        options={Object.entries(COMPARISONS)}
        onChange={(comparison) => change({ comparison: comparison as Comparison })}
      />
      <Choice
        name="Split"
        value={view.split ?? ""}
        options={[
          ["", "Not split"],
          // What this page cannot be split by is shown as long as it is asked for, so that it can be given up.
          ...[...new Set([...splits, ...(view.split ? [view.split] : [])])].map((split): [string, string] => [
            split,
            label(split),
          ]),
        ]}
        onChange={(split) => change({ split: split || null })}
      />
      <FilterControl filters={view.filters} fields={fields} chart={chart} onChange={(filters) => change({ filters })} />
    </Box>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
}

function Choice({ name, value, options, onChange }: ChoiceProps) {
  return (
    <TextField
      select
      size="small"
      label={name}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      sx={{ minWidth: 130 }}
    >
      {options.map(([option, said]) => (
        <MenuItem key={option} value={option}>
          {said}
        </MenuItem>
      ))}
    </TextField>
  );
}

let known: string[] | undefined;

/** The zones that the browser knows, one's own and UTC first. */
function zones(): string[] {
  known ??= [...new Set([ownZone(), "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])])];
  return known;
}
