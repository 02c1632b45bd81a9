/** Days that were unlike such days before. */

import { label } from "../format/names";
import { value } from "../format/numbers";
import { day } from "../format/times";
import { TablePanel } from "../panel/TablePanel";
import { useView } from "../view/useView";

export function AnomaliesPanel() {
  const { view } = useView();
  return (
    <TablePanel
      path="/api/v1/assistants/anomalies"
      rowsPerPage={5}
      expected={4}
      columns={[
        { key: "day", cell: (row) => day(row.day, view.timezone) },
        { key: "metric", cell: (row) => label(row.metric) },
        ...(view.split ? [{ key: "group" as const }] : []),
        { key: "seen", isNumber: true, cell: (row) => value(row.seen, row.unit) },
        { key: "expected", isNumber: true, cell: (row) => value(row.expected, row.unit) },
        "score",
        { key: "explanation", isProse: true },
      ]}
    />
  );
}
