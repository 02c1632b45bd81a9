/** Which share of users came back, by when they began: a heat map that is a table. */
import { Stack, type Theme } from "@mui/material";
import { count, numberOf, parts, percent } from "../format/numbers";
import { day } from "../format/times";
import { type Cell, DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { EventField } from "./EventField";

export function RetentionPanel() {
  const { search, set } = useView();
  const cohort_event = one(search, "cohort_event") ?? "page_viewed";
  const return_event = one(search, "return_event") ?? "page_viewed";
  const asked = usePanel({
    path: "/api/v1/product/retention",
    choices: ["period", "cohort_by", "returned"],
    own: { cohort_event, return_event, periods: "8" },
  });
  return (
    <Panel
      asked={asked}
      height={340}
      actions={
        <Stack direction="row" useFlexGap sx={{ flexWrap: "wrap", gap: 1 }}>
          <EventField label="Began with" event={cohort_event} onChange={(event) => set("cohort_event", event)} />
          <EventField label="Came back with" event={return_event} onChange={(event) => set("return_event", event)} />
        </Stack>
      }
      isEmpty={({ cohorts }) => cohorts.every(({ users }) => users === 0)}
    >
      {({ cohorts, mean, period }) => (
        <DataTable
          caption="Retention"
          columns={[
            { name: `Began in the ${period} of` },
            { name: "Users", isNumber: true },
            ...mean.map(({ offset }) => ({ name: offset === 0 ? `Same ${period}` : `+${offset}`, isNumber: true })),
          ]}
          rows={[
            ...cohorts.map(({ start, is_partial, users, cells }) => [
              day(start, asked.view.timezone) + (is_partial ? " (cut)" : ""),
              count(users),
              ...cells.map(heat),
            ]),
            ["Mean of what is over", "", ...mean.map(heat)],
          ]}
        />
      )}
    </Panel>
  );
}

interface Rate {
  rate?: number | null;
  rate_numerator?: number | null;
  rate_denominator?: number | null;
}

/** The more came back, the fuller the colour. */
function heat({ rate, rate_numerator, rate_denominator }: Rate): Cell {
  if (numberOf(rate) === null) return { shows: "", title: "not over yet" };
  const colour = ({ palette }: Theme) =>
    `color-mix(in srgb, ${palette.primary.main} ${Math.round(rate! * 40)}%, transparent)`;
  return { shows: percent(rate), title: parts(rate_numerator, rate_denominator), sx: { bgcolor: colour } };
}
