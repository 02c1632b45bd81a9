/** What asks for attention: alerts, days that were unusual, experiments that cannot be trusted. */
import { Link, List, ListItem, ListItemText } from "@mui/material";
import type { UseQueryResult } from "@tanstack/react-query";
import { createLink } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schemas } from "../api/client";
import { problemOf, wordsOf } from "../api/problem";
import { keepView } from "../app/keepView";
import { label } from "../format/names";
import { count, value } from "../format/numbers";
import { day } from "../format/times";
import { Panel } from "../panel/Panel";
import { StateChip } from "../panel/StateChip";
import { usePanel } from "../panel/usePanel";

/** So much that is unusual is told here; the page of the assistants has all of it. */
const MOST_UNUSUAL = 5;

const PageLink = createLink(Link);

export function AttentionPanel() {
  const alerts = usePanel({ path: "/api/v1/alerts" });
  const experiments = usePanel({ path: "/api/v1/experiments", own: { limit: "1000" } });
  const anomalies = usePanel({ path: "/api/v1/assistants/anomalies", own: { limit: "100", split_by: "assistant" } });
  const parts = { Alerts: alerts.result, Experiments: experiments.result, "Unusual days": anomalies.result };
  // Not every token may see all of it: what is not known is said, and the rest is worth showing.
  const isKnown = Object.values(parts).every(({ isSuccess, isError }) => isSuccess || isError);
  const { data } = anomalies.result;
  const result = { ...anomalies.result, isError: false, data: isKnown ? { meta: data?.meta ?? null } : undefined };
  const zone = anomalies.view.timezone;
  return (
    <Panel
      asked={{ ...anomalies, result: result as UseQueryResult<{ meta: Schemas["Meta"] | null }> }}
      title="What asks for attention"
      counts="Alerts that are not quiet, days on which an assistant was unlike itself, and experiments whose units came unevenly."
      height={220}
    >
      {() => {
        const rows: ReactNode[] = [
          ...Object.entries(parts).flatMap(([what, { error }]) =>
            error
              ? [<Row key={what} state="no_data" what={what} why={`Not known. ${wordsOf(problemOf(error)).title}.`} />]
              : [],
          ),
          ...(alerts.result.data?.items ?? [])
            .filter(({ state }) => state !== "ok" && state !== "no_data")
            .map((alert) => (
              <Row key={alert.rule} to="/operations" state={alert.state} what={alert.rule} why={alert.summary} />
            )),
          ...(experiments.result.data?.items ?? [])
            .filter(({ srm }) => srm.alarm)
            .map((one) => (
              <Row
                key={one.experiment_id}
                to={`/experiments/${encodeURIComponent(one.experiment_id)}`}
                state="quarantine"
                what={`Experiment ${one.experiment_id}`}
                why={`Its variants have ${one.variants.map(({ variant, units }) => `${variant} ${value(units, "")}`).join(", ")} units, which is no even split.`}
              />
            )),
          ...alike(data?.items ?? [])
            .slice(0, MOST_UNUSUAL)
            .map(([one, ...others]) => (
              <Row
                key={`${one.metric} ${one.group}`}
                to="/assistants"
                state="warning"
                what={`${label(one.metric)} of ${one.group ?? "all assistants"}`}
                why={`${value(one.seen, one.unit)} on ${day(one.day, zone)}, where ${value(one.expected, one.unit)} was expected${others.length > 0 ? `; unusual on ${count(others.length)} more ${others.length === 1 ? "day" : "days"}` : ""}.`}
              />
            )),
        ];
        return rows.length > 0 ? (
          <List dense disablePadding>
            {rows}
          </List>
        ) : (
          "Nothing unusual in this range."
        );
      }}
    </Panel>
  );
}

/** The days of each metric of each assistant, the most unusual ones first. */
function alike<Of extends Pick<Schemas["Anomaly"], "metric" | "group">>(items: readonly Of[]): [Of, ...Of[]][] {
  const groups = new Map<string, [Of, ...Of[]]>();
  for (const item of items) {
    const name = `${item.metric} ${item.group}`;
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return [...groups.values()];
}

function Row({ to, state, what, why }: { to?: string; state: string; what: string; why: string }) {
  return (
    <ListItem disableGutters sx={{ gap: 1 }}>
      <ListItemText
        primary={
          to ? (
            <PageLink to={to as "/"} search={keepView as never}>
              {what}
            </PageLink>
          ) : (
            what
          )
        }
        secondary={why}
      />
      <StateChip code={state} />
    </ListItem>
  );
}
