/** What asks for attention: alerts, days that were unusual, experiments that cannot be trusted. */
import { Link, List, ListItem, ListItemText } from "@mui/material";
import { useQuery } from "@tanstack/react-query";
import { createLink } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ask } from "../api/client";
import { keepView } from "../app/keepView";
import { label } from "../format/names";
import { value } from "../format/numbers";
import { day } from "../format/times";
import { Panel } from "../panel/Panel";
import { StateChip } from "../panel/StateChip";
import { usePanel } from "../panel/usePanel";

const PageLink = createLink(Link);

export function AttentionPanel() {
  const anomalies = usePanel({ path: "/api/v1/assistants/anomalies", own: { limit: "5", split_by: "assistant" } });
  const experiments = usePanel({ path: "/api/v1/experiments" });
  // Not every token may see alerts; the rest is worth showing without them.
  const alerts = useQuery({
    queryKey: ["/api/v1/alerts"],
    queryFn: ({ signal }) => ask({ path: "/api/v1/alerts" }, signal),
    refetchInterval: 60_000,
  });
  const firing = (alerts.data?.items ?? []).filter(({ state }) => state !== "ok" && state !== "no_data");
  const distrusted = (experiments.result.data?.items ?? []).filter(({ srm }) => srm.alarm);
  const zone = anomalies.view.timezone;
  return (
    <Panel
      asked={anomalies}
      title="What asks for attention"
      counts="Alerts that are not quiet, days on which an assistant was unlike itself, and experiments whose units came unevenly."
      height={220}
    >
      {({ items }) => {
        const rows: ReactNode[] = [
          ...firing.map((alert) => (
            <Row key={alert.rule} to="/operations" state={alert.state} what={alert.rule} why={alert.summary} />
          )),
          ...distrusted.map((one) => (
            <Row
              key={one.experiment_id}
              to={`/experiments/${encodeURIComponent(one.experiment_id)}`}
              state="quarantine"
              what={`Experiment ${one.experiment_id}`}
              why={`Its variants have ${one.variants.map(({ variant, units }) => `${variant} ${value(units, "")}`).join(", ")} units, which is no even split.`}
            />
          )),
          ...items.map((one) => (
            <Row
              key={`${one.day}${one.metric}${one.group}`}
              to="/assistants"
              state="warning"
              what={`${label(one.metric)} of ${one.group ?? "all assistants"}, ${day(one.day, zone)}`}
              why={`${value(one.seen, one.unit)}, where ${value(one.expected, one.unit)} was expected.`}
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

function Row({ to, state, what, why }: { to: string; state: string; what: string; why: string }) {
  return (
    <ListItem disableGutters secondaryAction={<StateChip code={state} />} sx={{ pr: 14 }}>
      <ListItemText
        primary={
          <PageLink to={to as "/"} search={keepView as never}>
            {what}
          </PageLink>
        }
        secondary={why}
      />
    </ListItem>
  );
}
