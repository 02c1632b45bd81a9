/** Nothing to show, and what to do about it. */
import { Box, Button, Link, Stack, Typography } from "@mui/material";
import type { Schemas } from "../api/client";
import { useView } from "../view/useView";

export function Empty({ meta }: { meta: Schemas["Meta"] | null }) {
  const { view, change } = useView();
  const isNew = meta !== null && !meta.fresh_as_of;
  const isLong = "preset" in view.range && view.range.preset === "91d";
  return (
    <Box sx={{ height: "100%", minHeight: 160, display: "grid", placeItems: "center", textAlign: "center", p: 2 }}>
      {isNew ? (
        <Typography color="textSecondary">
          Nothing has come in yet. Send some events or traces: <Link href="/docs">the API’s documentation</Link> shows
          how.
        </Typography>
      ) : (
        <Stack spacing={1} sx={{ alignItems: "center" }}>
          <Typography color="textSecondary">
            There is nothing in this range{view.filters.length > 0 && " that passes the filters"}.
          </Typography>
          <Stack direction="row" spacing={1}>
            {!isLong && (
              <Button size="small" onClick={() => change({ range: { preset: "91d" } })}>
                Look at 91 days
              </Button>
            )}
            {view.filters.length > 0 && (
              <Button size="small" onClick={() => change({ filters: [] })}>
                Remove filters
              </Button>
            )}
          </Stack>
        </Stack>
      )}
    </Box>
  );
}
