/** Whether units came to the variants as planned; else nothing can be concluded. */
import { Typography } from "@mui/material";
import type { Schemas } from "../api/client";
import { count, numberOf, percent, pValue } from "../format/numbers";
import { day } from "../format/times";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { StateChip } from "../panel/StateChip";
import { usePanel } from "../panel/usePanel";
import { Verdict } from "../panel/Verdict";

type Cell = Schemas["HealthCell"];

export function HealthPanel({ of }: { of: { experiment_id: string } }) {
  const asked = usePanel({ path: "/api/v1/experiments/{experiment_id}/health", of });
  return (
    <Panel asked={asked} height={420}>
      {({ status, reasons, arms, srm, platforms, profile_codes, days, multiple_exposures }) => (
        <>
          <Verdict code={status} reasons={reasons}>
            {srm && <div>That all of this is chance has a probability of {pValue(srm.p_value)}.</div>}
            {multiple_exposures.units > 0 && (
              <div>{count(multiple_exposures.units)} units were exposed to several variants.</div>
            )}
          </Verdict>
          <DataTable
            caption="Units of variants"
            columns={[
              { name: "Variant" },
              { name: "Units", isNumber: true },
              { name: "Planned", isNumber: true },
              { name: "Came", isNumber: true },
            ]}
            rows={arms.map(({ variant, units, planned, seen }) => [
              variant,
              count(units),
              percent(planned),
              percent(seen),
            ])}
          />
          <Cells title="By platform" cells={platforms} />
          <Cells title="By profile" cells={profile_codes} />
          <Cells
            title="Days that stand out"
            cells={days.filter(({ alarm }) => alarm)}
            said={(value) => day(value, asked.view.timezone)}
          />
        </>
      )}
    </Panel>
  );
}

/** What has too few units for a test is not healthy for that. */
function stateOf({ alarm, p_value_adjusted }: Pick<Cell, "alarm" | "p_value_adjusted">): string {
  return alarm ? "broken" : numberOf(p_value_adjusted) === null ? "too_few" : "healthy";
}

function Cells({
  title,
  cells,
  said = (value) => value,
}: {
  title: string;
  cells: Cell[];
  said?: (value: string) => string;
}) {
  if (cells.length === 0) return null;
  return (
    <section>
      <Typography variant="subtitle2" component="h3" sx={{ mt: 2 }}>
        {title}
      </Typography>
      <DataTable
        caption={title}
        columns={[{ name: "Of" }, { name: "State" }, { name: "Units" }, { name: "p, adjusted", isNumber: true }]}
        rows={cells.map(({ value, alarm, variants, p_value_adjusted }) => [
          value ? said(value) : "not told",
          <StateChip key="state" code={stateOf({ alarm, p_value_adjusted })} />,
          variants.map(({ variant, units }) => `${variant} ${count(units)}`).join(" · "),
          pValue(p_value_adjusted),
        ])}
      />
    </section>
  );
}
