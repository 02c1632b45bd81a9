/** Asks for a token; what is looked at stays behind it. */
import {
  Alert,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  TextField,
} from "@mui/material";
import { useState } from "react";
import { queryClient } from "../api/client";
import { type Session, use } from "../api/session";

const TITLES = {
  open: "Another token",
  missing: "A token, please",
  expired: "The token has expired",
  refused: "The token is not accepted",
} as const;

interface TokenDialogProps {
  session: Session;
  /** Goes on with the token that there is, or with the new one. */
  onClose: () => void;
}

export function TokenDialog({ session, onClose }: TokenDialogProps) {
  const [text, setText] = useState("");
  const token = text.trim().replace(/^Bearer\s+/i, "");
  const isToken = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
  return (
    <Dialog
      open
      onClose={() => session.state === "open" && onClose()}
      maxWidth="sm"
      fullWidth
      aria-labelledby="token-title"
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isToken) return;
          // Nothing is kept of what another one may see.
          queryClient.clear();
          use(token);
          onClose();
        }}
      >
        <DialogTitle id="token-title">{TITLES[session.state]}</DialogTitle>
        <DialogContent>
          {(session.state === "expired" || session.state === "refused") && (
            <Alert severity="warning" sx={{ mb: 2 }}>
              {session.why || TITLES[session.state]} What you were looking at stays as it is.
            </Alert>
          )}
          <DialogContentText sx={{ mb: 2 }}>
            The studio shows what a token may see. It is kept in this tab until the tab is closed, and never part of an
            address. Whoever runs the server issues tokens; for a first look, <code>chartwell token</code> prints one.
          </DialogContentText>
          <TextField
            autoFocus
            fullWidth
            multiline
            minRows={3}
            maxRows={6}
            label="Token"
            value={text}
            onChange={(event) => setText(event.target.value)}
            error={text !== "" && !isToken}
            helperText={text !== "" && !isToken ? "A token has three parts, separated by dots." : " "}
            slotProps={{ htmlInput: { spellCheck: false, autoComplete: "off" } }}
          />
        </DialogContent>
        <DialogActions>
          {session.state === "open" && <Button onClick={onClose}>Cancel</Button>}
          <Button type="submit" variant="contained" disabled={!isToken}>
            Look
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
