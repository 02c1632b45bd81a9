/** The experiments, and how many units a new one takes. */
import { Link } from "@mui/material";
import { createLink } from "@tanstack/react-router";
import { keepView } from "../app/keepView";
import { count, pValue } from "../format/numbers";
import { StateChip } from "../panel/StateChip";
import { TablePanel } from "../panel/TablePanel";
import { SampleSizePanel } from "../panels/SampleSizePanel";
import { Grid } from "./grid";

const ExperimentLink = createLink(Link);

export default function Experiments() {
  return (
    <Grid>
      <TablePanel
        path="/api/v1/experiments"
        expected={5}
        columns={[
          {
            key: "experiment_id",
            name: "Experiment",
            cell: (row) => (
              <ExperimentLink
                to="/experiments/$experimentId"
                params={{ experimentId: row.experiment_id }}
                search={keepView as never}
              >
                {row.experiment_id}
              </ExperimentLink>
            ),
          },
          { key: "is_running", name: "Runs", cell: (row) => (row.is_running ? "yes" : "no") },
          "units",
          {
            key: "variants",
            name: "Units of variants",
            sorts: false,
            cell: (row) => row.variants.map(({ variant, units }) => `${variant} ${count(units)}`).join(" · "),
          },
          {
            key: "srm",
            name: "Even split",
            sorts: false,
            cell: (row) => <Split alarm={row.srm.alarm} p={row.srm.p_value} />,
          },
          "exposures",
          "multiple_units",
          "first_exposure",
          "newest_exposure",
        ]}
      />
      <SampleSizePanel />
    </Grid>
  );
}

function Split({ alarm, p }: { alarm: boolean; p: number | null | undefined }) {
  return (
    <>
      <StateChip code={alarm ? "broken" : "healthy"} /> p {pValue(p)}
    </>
  );
}
