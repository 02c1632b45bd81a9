import { Chip } from "@mui/material";
import { verdict } from "../format/words";

/** A state in a word; its colour is never all that tells it. */
export function StateChip({ code }: { code: string }) {
  const { words, severity } = verdict(code);
  return <Chip size="small" variant="outlined" color={severity} label={words} />;
}
