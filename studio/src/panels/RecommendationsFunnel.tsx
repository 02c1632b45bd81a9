/** Shown → accepted → sent, by source, with the interval of each rate. */
import { MenuItem, TextField } from "@mui/material";
import { Bar } from "../charts/Bar";
import { Interval } from "../charts/Interval";
import { label } from "../format/names";
import { between, count, parts, percent, withPrevious } from "../format/numbers";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";

export function RecommendationsFunnel() {
  const asked = usePanel({ path: "/api/v1/recommendations/funnel" });
  const { search, set } = useView();
  const sources = [...new Set(asked.result.data?.items.map(({ source }) => source) ?? [])];
  const chosen = one(search, "funnel.source");
  const source = chosen !== undefined && sources.includes(chosen) ? chosen : (sources[0] ?? "");
  return (
    <Panel
      asked={asked}
      height={240}
      isEmpty={({ items }) => items.length === 0}
      actions={
        sources.length > 0 && (
          <TextField
            select
            size="small"
            label="Source"
            value={source}
            onChange={(event) => set("funnel.source", event.target.value)}
            sx={{ minWidth: 180 }}
          >
            {sources.map((name) => (
              <MenuItem key={name} value={name}>
                {name}
              </MenuItem>
            ))}
          </TextField>
        )
      }
      table={({ items }) => ({
        columns: [
          { name: "Source" },
          { name: "Step" },
          { name: "Count", isNumber: true },
          { name: "Rate", isNumber: true },
          { name: "Interval (95 %)", isNumber: true },
        ],
        rows: items.map(({ source: of, step, count: units, rate, interval }) => [
          of,
          label(step),
          count(units),
          percent(rate),
          between(interval, percent),
        ]),
      })}
    >
      {({ items }) => {
        const steps = items.filter((item) => item.source === source);
        const most = Math.max(1, ...steps.map(({ count: units }) => units));
        return (
          <DataTable
            caption={`Funnel of ${source}`}
            columns={[
              { name: "Step" },
              { name: "Count", isNumber: true },
              { name: "Of the most", sx: { width: "30%", display: { xs: "none", sm: "table-cell" } } },
              { name: "Rate", isNumber: true },
              { name: "Interval of 95 %", sx: { width: "28%" } },
            ]}
            rows={steps.map(({ step, count: units, rate, interval, numerator, denominator, previous_rate }) => [
              label(step),
              count(units),
              <Bar key="units" part={units / most} height={16} />,
              { shows: withPrevious(rate, previous_rate), title: parts(numerator, denominator) },
              interval && (
                <Interval
                  key="interval"
                  value={rate}
                  interval={interval}
                  domain={[0, 1]}
                  name={`${label(step)}: ${between(interval, percent)}`}
                />
              ),
            ])}
          />
        );
      }}
    </Panel>
  );
}
