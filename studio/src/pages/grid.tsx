/** How panels stand beside each other. */
import { Box, Typography } from "@mui/material";
import type { ReactNode } from "react";

export function Grid({ children }: { children: ReactNode }) {
  return <Box sx={{ display: "grid", gridTemplateColumns: "repeat(12, minmax(0, 1fr))", gap: 2 }}>{children}</Box>;
}

/** A heading over panels that belong together. */
export function Section({ title }: { title: string }) {
  return (
    <Typography variant="h2" sx={{ gridColumn: "1 / -1", fontSize: 18, fontWeight: 600, mt: 1 }}>
      {title}
    </Typography>
  );
}
