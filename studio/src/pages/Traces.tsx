/** The runs of assistants, the newest first. */
import { Button } from "@mui/material";
import type { Schemas } from "../api/client";
import { count, duration, money, UNKNOWN } from "../format/numbers";
import { moment } from "../format/times";
import { type Cell, DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { ToTrace } from "../panels/ToTrace";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { Grid } from "./grid";

export default function Traces() {
  const { search, set } = useView();
  const cursor = one(search, "cursor");
  const asked = usePanel({
    path: "/api/v1/assistants/traces",
    choices: ["filter_on"],
    own: { cursor, limit: "25" },
  });
  return (
    <Grid>
      <Panel
        asked={asked}
        height={25 * 37 + 90}
        actions={cursor !== undefined && <Button onClick={() => set("cursor", undefined)}>Newest</Button>}
        isEmpty={({ items }) => items.length === 0}
      >
        {({ items, page }) => (
          <>
            <DataTable
              caption="Traces"
              maxHeight="none"
              columns={[
                { name: "Began" },
                { name: "Run", sx: { maxWidth: 280, overflow: "hidden", textOverflow: "ellipsis" } },
                { name: "Assistant" },
                { name: "Version" },
                { name: "Status" },
                { name: "Took", isNumber: true },
                { name: "Spans", isNumber: true },
                { name: "Calls", isNumber: true },
                { name: "Tokens", isNumber: true },
                { name: "Cost", isNumber: true },
              ]}
              rows={items.map((run) => [
                moment(run.start_time, asked.view.timezone),
                <ToTrace key="run" id={run.trace_id}>
                  {run.name || run.trace_id}
                </ToTrace>,
                run.assistant_code ?? UNKNOWN,
                run.assistant_version ?? UNKNOWN,
                statusOf(run),
                duration(run.duration_ms),
                count(run.spans),
                count(run.calls),
                count(run.input_tokens + run.output_tokens),
                money(run.cost_usd),
              ])}
            />
            {page.next_cursor && <Button onClick={() => set("cursor", page.next_cursor ?? undefined)}>Older</Button>}
          </>
        )}
      </Panel>
    </Grid>
  );
}

function statusOf({ status, error_type }: Schemas["Run"]): Cell {
  const isFailed = status === "ERROR" || (status === "UNSET" && error_type);
  if (!isFailed) return { shows: "went well" };
  return { shows: error_type ? `failed: ${error_type}` : "failed", sx: { color: "error.main", fontWeight: 600 } };
}
