/** A candidate version, or model, beside a baseline. */
import { Button, Stack, TextField, Typography } from "@mui/material";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { domainOf, Interval } from "../charts/Interval";
import { isNamed } from "../charts/series";
import { label } from "../format/names";
import { change, pValue, UNKNOWN, value } from "../format/numbers";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { StateChip } from "../panel/StateChip";
import { usePanel } from "../panel/usePanel";
import { Verdict } from "../panel/Verdict";
import { useView } from "../view/useView";
import { one } from "../view/view";

export function RegressionsPanel() {
  const { search, set } = useView();
  const dimension = one(search, "dimension") === "model" ? "model" : "assistant_version";
  // What there is to compare: the two newest names of the range, until others are chosen.
  const { result: names } = usePanel({
    path: "/api/v1/assistants/charts/runs",
    own: { split_by: dimension, top: "50", compare: undefined },
  });
  const [older, newer] = names.data ? newestPair(names.data) : [];
  const baseline = one(search, `${dimension}.baseline`) ?? older ?? "";
  const candidate = one(search, `${dimension}.candidate`) ?? newer ?? "";
  const asked = usePanel({
    path: "/api/v1/assistants/regressions",
    choices: ["dimension"],
    own: { baseline, candidate },
    enabled: baseline !== "" && candidate !== "",
  });

  return (
    <Panel
      asked={asked}
      height={420}
      needs={baseline === "" || candidate === "" ? names : undefined}
      instead={
        names.isSuccess &&
        (baseline === "" || candidate === "") &&
        "There are not two versions to compare in this range. Write two names, or choose a longer range."
      }
      actions={
        <Pair
          key={`${baseline} ${candidate}`}
          baseline={baseline}
          candidate={candidate}
          onChange={(name, chosen) => set(`${dimension}.${name}`, chosen)}
        />
      }
      isEmpty={({ cells }) => cells.length === 0}
    >
      {({ verdict, cells, errors }) => {
        const domain = domainOf([cells.map(({ relative }) => relative)], [-0.2, 0.2]);
        return (
          <>
            <Verdict code={verdict.code} of={`${candidate} beside ${baseline}`} reasons={verdict.reasons} />
            <DataTable
              caption="Regressions"
              columns={[
                { name: "Assistant" },
                { name: "Metric" },
                { name: "Verdict" },
                { name: "Baseline", isNumber: true },
                { name: "Candidate", isNumber: true },
                { name: "Change" },
                { name: "p, adjusted", isNumber: true },
              ]}
              rows={cells.map((cell) => [
                cell.is_all ? "All" : (cell.assistant_code ?? UNKNOWN),
                label(cell.metric),
                <StateChip
                  key="verdict"
                  code={
                    { worse: "regressed", better: "improved", same: "no_difference", unknown: "no_data" }[cell.verdict]
                  }
                />,
                value(cell.baseline.value, cell.unit),
                value(cell.candidate.value, cell.unit),
                <Stack key="change" direction="row" spacing={1} sx={{ alignItems: "center" }}>
                  <Interval
                    value={cell.relative}
                    interval={null}
                    domain={domain}
                    reference={0}
                    name={change(cell.relative)}
                  />
                  <span>{change(cell.relative)}</span>
                </Stack>,
                pValue(cell.p_value_adjusted),
              ])}
            />
            {errors.length > 0 && (
              <Typography variant="body2" sx={{ mt: 1.5 }}>
                More frequent:{" "}
                {errors
                  .map(
                    (error) =>
                      `${error.error_type}${error.is_new ? " (new)" : ""}, ${value(error.baseline.value, "ratio")} to ${value(error.candidate.value, "ratio")}`,
                  )
                  .join("; ")}
                .
              </Typography>
            )}
          </>
        );
      }}
    </Panel>
  );
}

/** What came into use last, and what is below it by name: the version before. */
export function newestPair({ series }: Pick<Schemas["Chart"], "series">): [string, string] | [] {
  const named = series.filter(isNamed);
  const begins = named.map(({ id, data }) => ({ id, begin: data.findIndex((value) => value !== null && value !== 0) }));
  const inOrder = begins.toSorted((one, other) => one.id.localeCompare(other.id, "en", { numeric: true }));
  const pairs = inOrder.slice(1).map((candidate, index) => ({ baseline: inOrder[index]!, candidate }));
  const newest = pairs.toSorted((one, other) => other.candidate.begin - one.candidate.begin)[0];
  return newest ? [newest.baseline.id, newest.candidate.id] : [];
}

interface PairProps {
  baseline: string;
  candidate: string;
  onChange: (name: string, value: string) => void;
}

function Pair({ baseline, candidate, onChange }: PairProps) {
  const [pair, setPair] = useState({ baseline, candidate });
  return (
    <Stack
      component="form"
      direction="row"
      useFlexGap
      sx={{ flexWrap: "wrap", gap: 1 }}
      onSubmit={(event) => {
        event.preventDefault();
        if (pair.baseline !== baseline) onChange("baseline", pair.baseline);
        if (pair.candidate !== candidate) onChange("candidate", pair.candidate);
      }}
    >
      <TextField
        size="small"
        label="Baseline"
        value={pair.baseline}
        onChange={(event) => setPair({ ...pair, baseline: event.target.value })}
        sx={{ width: 150 }}
      />
      <TextField
        size="small"
        label="Candidate"
        value={pair.candidate}
        onChange={(event) => setPair({ ...pair, candidate: event.target.value })}
        sx={{ width: 150 }}
      />
      <Button type="submit" size="small" disabled={pair.baseline === "" || pair.candidate === ""}>
        Compare
      </Button>
    </Stack>
  );
}
