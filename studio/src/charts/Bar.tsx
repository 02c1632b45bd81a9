/** A part of a whole as a bar; how much it is stands beside it. */
import { Box } from "@mui/material";

interface BarProps {
  /** From 0 to 1; what is not known has no bar. */
  part: number | null | undefined;
  height?: number;
  colour?: string;
}

export function Bar({ part, height = 12, colour = "primary.main" }: BarProps) {
  return (
    <Box
      component="span"
      aria-hidden
      sx={{
        display: "block",
        height,
        borderRadius: 0.5,
        bgcolor: colour,
        width: `${Math.min(1, Math.max(0, part ?? 0)) * 100}%`,
        // What is little is not nothing.
        minWidth: part ? 2 : 0,
      }}
    />
  );
}
