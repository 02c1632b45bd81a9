/** What can be taken from a panel: the question as curl, the answer as CSV. */
import MoreVert from "@mui/icons-material/MoreVert";
import { Alert, IconButton, Menu, MenuItem, Snackbar, Tooltip } from "@mui/material";
import { useState } from "react";
import { about, addressOf, csv, type Question } from "../api/client";
import { Problem, problemOf, wordsOf } from "../api/problem";
import { count } from "../format/numbers";
import { wholeOf } from "./question";

interface PanelMenuProps {
  title: string;
  question: Question;
}

export function PanelMenu({ title, question: shown }: PanelMenuProps) {
  const known = about(shown.path);
  const question = wholeOf(shown, known);
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
    await write(curlOf(question));
    return "Copied. Put your token into $TOKEN.";
  };
  const download = async () => {
    const content = await csv(question);
    save(content, `${question.path.split("/").slice(3).join("-").replace(/[{}]/g, "")}.csv`);
    const rows = (await content.text()).trimEnd().split("\n").length - 1;
    return rows === known.mostRows ? `Downloaded: the first ${count(rows)} rows.` : "Downloaded.";
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
        {known.hasCsv && <MenuItem onClick={act(download)}>Download CSV</MenuItem>}
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

/** Browsers hand the clipboard to pages that came encrypted, or from the same machine. */
async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const place = document.createElement("textarea");
  place.value = text;
  document.body.append(place);
  place.select();
  const isCopied = document.execCommand("copy");
  place.remove();
  if (!isCopied)
    throw new Problem({ detail: `This browser does not let the page copy: ${text}`, code: "unknown" as never });
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
