/** What can be taken from a panel: the question as curl, the answer as CSV. */
import MoreVert from "@mui/icons-material/MoreVert";
import { Alert, IconButton, Menu, MenuItem, Snackbar, Tooltip } from "@mui/material";
import { useState } from "react";
import { about, addressOf, csv, type Question } from "../api/client";
import { problemOf, wordsOf } from "../api/problem";

interface PanelMenuProps {
  title: string;
  question: Question;
}

export function PanelMenu({ title, question }: PanelMenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [told, setTold] = useState<{ severity: "success" | "error"; text: string } | null>(null);

  const act = (action: () => Promise<string>) => () => {
    setAnchor(null);
    action().then(
      (text) => setTold({ severity: "success", text }),
      (error: unknown) => setTold({ severity: "error", text: wordsOf(problemOf(error)).title }),
    );
  };
  const copy = async () => {
    await navigator.clipboard.writeText(curlOf(question));
    return "Copied. Put your token into $TOKEN.";
  };
  const download = async () => {
    save(await csv(question), `${question.path.split("/").slice(3).join("-").replace(/[{}]/g, "")}.csv`);
    return "Downloaded.";
  };

  return (
    <>
      <Tooltip title="Take it with you">
        <IconButton
          size="small"
          aria-label={`${title}: take it with you`}
          aria-haspopup="menu"
          aria-expanded={anchor !== null}
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <MoreVert fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <MenuItem onClick={act(copy)}>Copy as curl</MenuItem>
        {about(question.path).hasCsv && <MenuItem onClick={act(download)}>Download CSV</MenuItem>}
      </Menu>
      <Snackbar open={told !== null} autoHideDuration={4_000} onClose={() => setTold(null)}>
        <Alert severity={told?.severity ?? "success"} onClose={() => setTold(null)}>
          {told?.text}
        </Alert>
      </Snackbar>
    </>
  );
}

/** The question for a terminal; the token is not part of it. */
export function curlOf(question: Question): string {
  const address = `${location.origin}${addressOf(question)}`.replaceAll("'", "%27");
  return `curl -sH "Authorization: Bearer $TOKEN" '${address}'`;
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
