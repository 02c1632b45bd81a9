import { Link } from "@mui/material";
import { createLink } from "@tanstack/react-router";
import { keepView } from "../app/keepView";
import { UNKNOWN } from "../format/numbers";

const TraceLink = createLink(Link);

/** A trace, to look at. */
export function ToTrace({ id, children }: { id: string | null | undefined; children?: React.ReactNode }) {
  if (!id) return UNKNOWN;
  return (
    <TraceLink to="/traces/$traceId" params={{ traceId: id }} search={keepView as never}>
      {children ?? id.slice(0, 8)}
    </TraceLink>
  );
}
