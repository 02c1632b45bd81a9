/** Something of the studio itself broke: never a blank page. */
import { Alert, AlertTitle, Box, Button } from "@mui/material";
import type { ErrorComponentProps } from "@tanstack/react-router";

export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <Box sx={{ p: 2 }}>
      <Alert
        severity="error"
        action={
          <Button color="inherit" size="small" onClick={reset}>
            Try again
          </Button>
        }
      >
        <AlertTitle>The studio broke on this page</AlertTitle>
        {error instanceof Error ? error.message : String(error)}. The other pages work; reloading may help, for instance
        after the server was updated.
      </Alert>
    </Box>
  );
}
