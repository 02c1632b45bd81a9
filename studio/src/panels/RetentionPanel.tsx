/** Which share of users came back, by when they began: a heat map that is a table. */
import { Box, Stack, Table, TableBody, TableCell, TableHead, TableRow, useTheme } from "@mui/material";
import { about } from "../api/client";
import { count, percent } from "../format/numbers";
import { day } from "../format/times";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { EventField } from "./EventField";

const PATH = "/api/v1/product/retention";

export function RetentionPanel() {
  const { search, set } = useView();
  const { palette } = useTheme();
  const cohort_event = one(search, "cohort_event") ?? "page_viewed";
  const return_event = one(search, "return_event") ?? "page_viewed";
  const choices = ["period", "cohort_by", "returned"];
  const { question, without, result, view } = usePanel({
    path: PATH,
    choices,
    own: { cohort_event, return_event, periods: "8" },
  });
  return (
    <Panel
      title={about(PATH).title}
      question={question}
      without={without}
      result={result}
      height={340}
      choices={choices}
      actions={
        <Stack direction="row" useFlexGap sx={{ flexWrap: "wrap", gap: 1 }}>
          <EventField label="Began with" event={cohort_event} onChange={(event) => set("cohort_event", event)} />
          <EventField label="Came back with" event={return_event} onChange={(event) => set("return_event", event)} />
        </Stack>
      }
      isEmpty={({ cohorts }) => cohorts.every(({ users }) => users === 0)}
    >
      {({ cohorts, mean, period }) => {
        const heat = (rate: number | null | undefined) =>
          rate === null || rate === undefined
            ? {}
            : { bgcolor: `color-mix(in srgb, ${palette.primary.main} ${Math.round(rate * 40)}%, transparent)` };
        return (
          <Box sx={{ overflowX: "auto" }} tabIndex={0} role="group" aria-label="Retention, rows">
            <Table size="small" aria-label="Retention">
              <TableHead>
                <TableRow>
                  <TableCell>Began in the {period} of</TableCell>
                  <TableCell align="right">Users</TableCell>
                  {mean.map(({ offset }) => (
                    <TableCell key={offset} align="right" sx={{ whiteSpace: "nowrap" }}>
                      {offset === 0 ? `Same ${period}` : `+${offset}`}
                    </TableCell>
                  ))}
                </TableRow>
              </TableHead>
              <TableBody>
                {cohorts.map((cohort) => (
                  <TableRow key={cohort.start}>
                    <TableCell component="th" scope="row" sx={{ whiteSpace: "nowrap" }}>
                      {day(cohort.start, view.timezone)}
                      {cohort.is_partial && " (cut)"}
                    </TableCell>
                    <TableCell align="right">{count(cohort.users)}</TableCell>
                    {cohort.cells.map(({ offset, rate, rate_numerator, rate_denominator }) => (
                      <TableCell
                        key={offset}
                        align="right"
                        title={
                          rate_numerator === null || rate_numerator === undefined
                            ? "not over yet"
                            : `${count(rate_numerator)} ÷ ${count(rate_denominator ?? 0)}`
                        }
                        sx={heat(rate)}
                      >
                        {rate === null || rate === undefined ? "" : percent(rate)}
                      </TableCell>
                    ))}
                  </TableRow>
                ))}
                <TableRow>
                  <TableCell component="th" scope="row" colSpan={2} sx={{ fontWeight: 600 }}>
                    Mean of what is over
                  </TableCell>
                  {mean.map(({ offset, rate, rate_numerator, rate_denominator }) => (
                    <TableCell
                      key={offset}
                      align="right"
                      title={`${count(rate_numerator)} ÷ ${count(rate_denominator)}`}
                      sx={{ fontWeight: 600, ...heat(rate) }}
                    >
                      {rate === null || rate === undefined ? "" : percent(rate)}
                    </TableCell>
                  ))}
                </TableRow>
              </TableBody>
            </Table>
          </Box>
        );
      }}
    </Panel>
  );
}
