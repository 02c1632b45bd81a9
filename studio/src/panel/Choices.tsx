/** Parameters of one question that take one of a few words, chosen in its panel and kept in the address. */
import { MenuItem, TextField } from "@mui/material";
import { about, type Path } from "../api/client";
import { label } from "../format/names";
import { useView } from "../view/useView";
import { one } from "../view/view";

export function Choices({ path, names }: { path: Path; names: string[] }) {
  const { search, set } = useView();
  const { choices } = about(path);
  return names.flatMap((name) => {
    const choice = choices[name];
    if (!choice) return [];
    const given = one(search, name);
    const chosen = given !== undefined && choice.values.includes(given) ? given : (choice.usual ?? choice.values[0]);
    return (
      <TextField
        key={name}
        select
        size="small"
        label={label(name)}
        value={chosen}
        onChange={(event) => set(name, event.target.value === choice.usual ? undefined : event.target.value)}
        sx={{ minWidth: 130 }}
      >
        {choice.values.map((value) => (
          <MenuItem key={value} value={value}>
            {label(value)}
          </MenuItem>
        ))}
      </TextField>
    );
  });
}
