/** How fresh the data is, what became of what was sent, and how alerts stand. */
import { AlertsPanel } from "../panels/AlertsPanel";
import { AnonymisedPanel, CoveragePanel, FreshnessPanel, UnpricedPanel } from "../panels/FreshnessPanel";
import { Grid } from "./grid";

export default function Operations() {
  return (
    <Grid>
      <AlertsPanel />
      <FreshnessPanel />
      <UnpricedPanel />
      <AnonymisedPanel />
      <CoveragePanel />
    </Grid>
  );
}
