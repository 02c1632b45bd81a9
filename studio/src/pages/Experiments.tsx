/** The experiments, and how many units a new one takes. */
import { Link } from "@mui/material";
import { createLink } from "@tanstack/react-router";
import { keepView } from "../app/keepView";
import { count, pValue } from "../format/numbers";
import { ago, day, moment } from "../format/times";
import { StateChip } from "../panel/StateChip";
import { TablePanel } from "../panel/TablePanel";
import { SampleSizePanel } from "../panels/SampleSizePanel";
import { useView } from "../view/useView";
import { Grid } from "./grid";

const ExperimentLink = createLink(Link);

export default function Experiments() {
  const zone = useView().view.timezone;
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
          { key: "is_running", name: "Running", cell: (row) => (row.is_running ? "yes" : "no") },
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
          { key: "multiple_units", name: "Units in several variants" },
          {
            key: "first_exposure",
            cell: (row) => <span title={moment(row.first_exposure, zone)}>{day(row.first_exposure, zone)}</span>,
          },
          {
            key: "newest_exposure",
            cell: (row) => <span title={moment(row.newest_exposure, zone)}>{ago(row.newest_exposure)}</span>,
          },
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
