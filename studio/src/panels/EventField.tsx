/** An event of the product, with filters behind it: `feature_viewed;feature:eq:export`. */
import { Autocomplete, TextField } from "@mui/material";

const EVENTS = ["page_viewed", "feature_viewed", "filter_changed", "chart_interacted", "client_error", "session_ended"];

interface EventFieldProps {
  label: string;
  event: string;
  onChange: (event: string) => void;
}

export function EventField({ label, event, onChange }: EventFieldProps) {
  const put = (next: string | null) => {
    const written = next?.trim();
    if (written && written !== event) onChange(written);
  };
  return (
    <Autocomplete
      key={event}
      freeSolo
      size="small"
      options={EVENTS}
      filterOptions={(options) => options}
      defaultValue={event}
      onChange={(_, next) => put(next)}
      onBlur={(blurred) => put((blurred.target as HTMLInputElement).value ?? null)}
      renderInput={(input) => <TextField {...input} label={label} />}
      sx={{ minWidth: 240, flexGrow: 1, maxWidth: 420 }}
    />
  );
}
