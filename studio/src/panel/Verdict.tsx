/** A verdict with its reasons in words. */
import { Alert, AlertTitle } from "@mui/material";
import type { ReactNode } from "react";
import { reason, verdict } from "../format/words";

interface VerdictProps {
  code: string;
  /** Of what it is the verdict. */
  of?: string | null;
  reasons: readonly string[];
  children?: ReactNode;
}

export function Verdict({ code, of, reasons, children }: VerdictProps) {
  const { words, severity } = verdict(code);
  return (
    <Alert severity={severity} variant="outlined" data-verdict={code} sx={{ mb: 2 }}>
      <AlertTitle>{of ? `${words}: ${of}` : words}</AlertTitle>
      {reasons.map((code) => (
        <div key={code}>{reason(code)}</div>
      ))}
      {children}
    </Alert>
  );
}
