/** A parameter of a question that is written, kept in the address. */
import { TextField } from "@mui/material";
import { useView } from "../view/useView";
import { one } from "../view/view";

interface ParameterProps {
  name: string;
  label: string;
  /** What holds where nothing is written. */
  usual?: string;
  placeholder?: string;
}

export function Parameter({ name, label, usual = "", placeholder }: ParameterProps) {
  const { search, set } = useView();
  const given = one(search, name) ?? usual;
  return (
    <TextField
      key={given}
      size="small"
      label={label}
      placeholder={placeholder}
      defaultValue={given}
      onBlur={(event) => event.target.value.trim() !== given && set(name, event.target.value.trim() || undefined)}
      onKeyDown={(event) => event.key === "Enter" && (event.target as HTMLInputElement).blur()}
      slotProps={{ inputLabel: { shrink: true } }}
      sx={{ width: 160 }}
    />
  );
}
