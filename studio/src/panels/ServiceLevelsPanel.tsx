/** What is left of error budgets, and how fast they burn. */
import { Box, LinearProgress } from "@mui/material";
import type { Schemas } from "../api/client";
import { label } from "../format/names";
import { numberOf, percent, UNKNOWN, value } from "../format/numbers";
import { StateChip } from "../panel/StateChip";
import { TablePanel } from "../panel/TablePanel";

/** Windows of the burn rates; what burnt in all 30 days is the budget. */
const WINDOWS = ["5m", "30m", "1h", "6h", "3d"];

export function ServiceLevelsPanel() {
  return (
    <TablePanel
      path="/api/v1/assistants/slo"
      counts="What assistants reach of their objectives over the last 30 days, what is left of each error budget, and how fast it burns."
      rowsPerPage={6}
      columns={[
        { key: "assistant_code", name: "Assistant" },
        { key: "objective", cell: (row) => label(row.objective) },
        { key: "state", cell: (row) => <StateChip code={stateOf(row)} /> },
        { key: "target", isNumber: true, cell: (row) => value(row.target, unitOf(row.objective)) },
        { key: "value", name: "Reached", isNumber: true, cell: (row) => value(row.value, unitOf(row.objective)) },
        { key: "error_budget", name: "Budget left", cell: (row) => <Budget remaining={row.error_budget?.remaining} /> },
        ...WINDOWS.map((of) => ({
          key: "burn_rates" as const,
          name: `Burn rate, ${of}`,
          isNumber: true,
          cell: (row: Schemas["ServiceLevel"]) => burnt(row.burn_rates.find(({ window }) => window === of)?.burn_rate),
        })),
      ]}
    />
  );
}

/** How many times as fast as the budget allows. */
function burnt(rate: number | null | undefined): string {
  return numberOf(rate) === null ? UNKNOWN : `${value(rate, "")}×`;
}

/** A budget may be spent long before, so that nothing burns at present. */
function stateOf({ state, error_budget }: Schemas["ServiceLevel"]): string {
  return state === "ok" && (error_budget?.remaining ?? 1) <= 0 ? "spent" : state;
}

function unitOf(objective: string): string {
  return objective === "cost_per_run" ? "usd" : "ratio";
}

function Budget({ remaining }: { remaining: number | undefined }) {
  const left = numberOf(remaining);
  if (left === null) return UNKNOWN;
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1, minWidth: 120 }}>
      <LinearProgress
        variant="determinate"
        aria-label="Budget left"
        value={Math.max(0, Math.min(1, left)) * 100}
        color={left <= 0 ? "error" : left < 0.25 ? "warning" : "primary"}
        sx={{ flexGrow: 1, height: 6, borderRadius: 1 }}
      />
      {percent(left)}
    </Box>
  );
}
