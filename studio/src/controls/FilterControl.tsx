/** Filters as chips. Each chip must hold; inside one, alternatives are joined by “or”. */
import Add from "@mui/icons-material/Add";
import Close from "@mui/icons-material/Close";
import FilterAlt from "@mui/icons-material/FilterAlt";
import {
  Box,
  Button,
  Chip,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  IconButton,
  MenuItem,
  Stack,
  TextField,
  Typography,
} from "@mui/material";
import { useState } from "react";
import type { ChartPath, Field } from "../api/client";
import { label } from "../format/names";
import { type Alternative, type Filter, OPERATORS, operatorsFor, sayFilter, valuesOf } from "../view/filter";
import { ValueField } from "./ValueField";

interface FilterControlProps {
  filters: Filter[];
  fields: Field[];
  /** The chart whose groups are the values that there are. */
  chart: ChartPath | undefined;
  onChange: (filters: Filter[]) => void;
}

export function FilterControl({ filters, fields, chart, onChange }: FilterControlProps) {
  /** Which filter is edited: its place, or the place behind the last for a new one. */
  const [edited, setEdited] = useState<number | null>(null);
  return (
    <>
      {filters.map((filter, index) => (
        <Chip
          key={index}
          icon={<FilterAlt />}
          label={sayFilter(filter)}
          onClick={fields.length > 0 ? () => setEdited(index) : undefined}
          onDelete={() => onChange(filters.filter((_, at) => at !== index))}
          sx={{ maxWidth: 360 }}
        />
      ))}
      {fields.length > 0 && (
        <Button color="inherit" startIcon={<Add />} onClick={() => setEdited(filters.length)}>
          Filter
        </Button>
      )}
      {edited !== null && (
        <FilterDialog
          filter={filters[edited]}
          fields={fields}
          chart={chart}
          onClose={() => setEdited(null)}
          onDone={(filter) => {
            onChange([...filters.slice(0, edited), filter, ...filters.slice(edited + 1)]);
            setEdited(null);
          }}
        />
      )}
    </>
  );
}

interface FilterDialogProps {
  filter: Filter | undefined;
  fields: Field[];
  chart: ChartPath | undefined;
  onClose: () => void;
  onDone: (filter: Filter) => void;
}

function FilterDialog({ filter, fields, chart, onClose, onDone }: FilterDialogProps) {
  const empty: Alternative = {
    field: fields.find(({ kind }) => kind === "text")?.name ?? fields[0]!.name,
    operator: "eq",
    values: [],
  };
  const [alternatives, setAlternatives] = useState<Filter>(filter ?? [empty]);
  const [isTried, setIsTried] = useState(false);
  const put = (index: number, next: Alternative) =>
    setAlternatives(alternatives.map((one, at) => (at === index ? next : one)));
  return (
    <Dialog open onClose={onClose} maxWidth="md" fullWidth aria-labelledby="filter-title">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setIsTried(true);
          if (alternatives.every(isDone)) onDone(alternatives);
        }}
      >
        <DialogTitle id="filter-title">Only rows where</DialogTitle>
        <DialogContent>
          <Stack spacing={1.5} sx={{ pt: 1 }}>
            {alternatives.map((alternative, index) => (
              <Box key={index}>
                {index > 0 && (
                  <Typography variant="body2" sx={{ mb: 1 }}>
                    or
                  </Typography>
                )}
                <AlternativeRow
                  alternative={alternative}
                  fields={fields}
                  chart={chart}
                  isWrong={isTried && !isDone(alternative)}
                  onChange={(next) => put(index, next)}
                  onRemove={
                    alternatives.length > 1
                      ? () => setAlternatives(alternatives.filter((_, at) => at !== index))
                      : undefined
                  }
                />
              </Box>
            ))}
            <Box>
              <Button
                startIcon={<Add />}
                onClick={() => setAlternatives([...alternatives, { ...empty, field: alternatives[0]!.field }])}
              >
                Or
              </Button>
            </Box>
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="contained">
            Filter
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function isDone({ field, operator, values }: Alternative): boolean {
  const takes = valuesOf(operator);
  const fits = takes === "none" || (values.length > 0 && values.every((value) => value !== ""));
  return fits && (takes !== "one" || values.length === 1) && field !== "" && !field.endsWith(".");
}

interface AlternativeRowProps {
  alternative: Alternative;
  fields: Field[];
  chart: ChartPath | undefined;
  isWrong: boolean;
  onChange: (alternative: Alternative) => void;
  onRemove: (() => void) | undefined;
}

function AlternativeRow({ alternative, fields, chart, isWrong, onChange, onRemove }: AlternativeRowProps) {
  const { field, operator, values } = alternative;
  const chosen = fieldOf(fields, field);
  const prefix = chosen.kind === "path" ? chosen.name.replace("<path>", "") : "";
  const takes = valuesOf(operator);
  return (
    <Stack direction="row" useFlexGap sx={{ flexWrap: "wrap", gap: 1, alignItems: "flex-start" }}>
      <TextField
        select
        size="small"
        label="Field"
        value={chosen.name}
        onChange={(event) => {
          const next = fieldOf(fields, event.target.value);
          const fits = operatorsFor(next.kind).includes(operator);
          onChange({
            field: next.kind === "path" ? next.name.replace("<path>", "") : next.name,
            operator: fits ? operator : "eq",
            values,
          });
        }}
        sx={{ minWidth: 180 }}
      >
        {(fields.includes(chosen) ? fields : [chosen, ...fields]).map(({ name, kind }) => (
          <MenuItem key={name} value={name}>
            {kind === "path" ? `${label(name.split(".")[0]!)}: a path` : label(name)}
          </MenuItem>
        ))}
      </TextField>
      {chosen.kind === "path" && (
        <TextField
          size="small"
          label="Path"
          value={field.slice(prefix.length)}
          error={isWrong && field === prefix}
          onChange={(event) => onChange({ ...alternative, field: prefix + event.target.value })}
          sx={{ minWidth: 160 }}
        />
      )}
      <TextField
        select
        size="small"
        label="How"
        value={operator}
        onChange={(event) => onChange({ ...alternative, operator: event.target.value as Alternative["operator"] })}
        sx={{ minWidth: 150 }}
      >
        {operatorsFor(chosen.kind).map((name) => (
          <MenuItem key={name} value={name}>
            {OPERATORS[name]}
          </MenuItem>
        ))}
      </TextField>
      {takes !== "none" && (
        <ValueField
          field={chosen}
          takes={takes}
          values={values}
          chart={chart}
          isWrong={isWrong}
          onChange={(next) => onChange({ ...alternative, values: next })}
        />
      )}
      {onRemove && (
        <IconButton aria-label="Remove this alternative" onClick={onRemove}>
          <Close />
        </IconButton>
      )}
    </Stack>
  );
}

function fieldOf(fields: Field[], name: string): Field {
  return (
    fields.find((field) => field.name === name) ??
    fields.find(({ kind, name: path }) => kind === "path" && name.startsWith(path.replace("<path>", ""))) ?? {
      // A field of another page stays what it is.
      name,
      kind: "text",
    }
  );
}
