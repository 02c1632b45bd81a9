/** Shown → accepted → sent, by source, with the interval of each rate. */
import { Box, MenuItem, Table, TableBody, TableCell, TableHead, TableRow, TextField } from "@mui/material";
import { about } from "../api/client";
import { Interval } from "../charts/Interval";
import { label } from "../format/names";
import { count, percent, UNKNOWN } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";

const PATH = "/api/v1/recommendations/funnel";

export function RecommendationsFunnel() {
  const { question, without, result } = usePanel({ path: PATH });
  const { search, set } = useView();
  const sources = [...new Set(result.data?.items.map(({ source }) => source) ?? [])];
  const asked = one(search, "funnel.source");
  const source = asked !== undefined && sources.includes(asked) ? asked : (sources[0] ?? "");
  return (
    <Panel
      title={about(PATH).title}
      question={question}
      without={without}
      result={result}
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
          rate === null || rate === undefined ? UNKNOWN : percent(rate),
          between(interval),
        ]),
      })}
    >
      {({ items }) => {
        const steps = items.filter((item) => item.source === source);
        const most = Math.max(1, ...steps.map(({ count: units }) => units));
        return (
          <Box sx={{ overflowX: "auto" }}>
            <Table size="small" aria-label={`Funnel of ${source}`}>
              <TableHead>
                <TableRow>
                  <TableCell>Step</TableCell>
                  <TableCell align="right">Count</TableCell>
                  <TableCell sx={{ width: "30%", display: { xs: "none", sm: "table-cell" } }}>Of the most</TableCell>
                  <TableCell align="right">Rate</TableCell>
                  <TableCell sx={{ width: "28%" }}>Interval of 95 %</TableCell>
                </TableRow>
              </TableHead>
              <TableBody>
                {steps.map(({ step, count: units, rate, interval, numerator, denominator, previous_rate }) => (
                  <TableRow key={step}>
                    <TableCell component="th" scope="row">
                      {label(step)}
                    </TableCell>
                    <TableCell align="right">{count(units)}</TableCell>
                    <TableCell sx={{ display: { xs: "none", sm: "table-cell" } }}>
                      <Box
                        sx={{
                          height: 16,
                          borderRadius: 0.5,
                          bgcolor: "primary.main",
                          width: `${(units / most) * 100}%`,
                        }}
                      />
                    </TableCell>
                    <TableCell
                      align="right"
                      title={
                        denominator === null || denominator === undefined
                          ? ""
                          : `${count(numerator)} ÷ ${count(denominator)}`
                      }
                    >
                      {rate === null || rate === undefined ? UNKNOWN : percent(rate)}
                      {previous_rate !== null && previous_rate !== undefined && ` (was ${percent(previous_rate)})`}
                    </TableCell>
                    <TableCell>
                      {interval && (
                        <Interval
                          value={rate}
                          interval={interval}
                          domain={[0, 1]}
                          name={`${label(step)}: ${between(interval)}`}
                        />
                      )}
                    </TableCell>
                  </TableRow>
                ))}
              </TableBody>
            </Table>
          </Box>
        );
      }}
    </Panel>
  );
}

function between(interval: readonly number[] | null | undefined): string {
  return interval ? `${percent(interval[0]!)} to ${percent(interval[1]!)}` : UNKNOWN;
}
