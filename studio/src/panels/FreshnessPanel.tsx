/** What the server knows of its own intake, since it was started. */
import { Typography } from "@mui/material";
import type { ReactNode } from "react";
import type { AnswerOf } from "../api/client";
import { label } from "../format/names";
import { bytes, count, duration, UNKNOWN } from "../format/numbers";
import { ago, moment } from "../format/times";
import { DataTable } from "../panel/DataTable";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";

const PATH = "/api/v1/freshness";

type Report = AnswerOf<typeof PATH>;

export function FreshnessPanel() {
  return (
    <Of height={260} span={12}>
      {({ tables, spool, since }, zone) => (
        <>
          <DataTable
            caption="Tables"
            columns={[
              { name: "Table" },
              { name: "Newest row" },
              { name: "Until readable, p50", isNumber: true },
              { name: "p95", isNumber: true },
              { name: "Accepted", isNumber: true },
              { name: "Duplicates", isNumber: true },
              { name: "Rejected", isNumber: true },
              { name: "Dead letters", isNumber: true },
            ]}
            rows={tables.map((table) => [
              table.table,
              table.newest_row ? (
                <span key="newest" title={moment(table.newest_row, zone)}>
                  {ago(table.newest_row)}
                </span>
              ) : (
                UNKNOWN
              ),
              duration(table.lag_ms_p50),
              duration(table.lag_ms_p95),
              count(table.accepted),
              count(table.duplicates),
              table.rejected.length === 0
                ? "0"
                : table.rejected.map(({ code, count: rows }) => `${label(code)} ${count(rows)}`).join(" · "),
              count(table.dead_letters),
            ])}
          />
          <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
            {count(spool.rows)} rows wait in the spool, which has {bytes(spool.bytes)} on disk. Counted since{" "}
            {moment(since, zone)}.
          </Typography>
        </>
      )}
    </Of>
  );
}

export function UnpricedPanel() {
  return (
    <Of
      title="Models without a price"
      counts="Spans of models that the price book has no price for, so that they have no cost."
      height={160}
    >
      {({ models_without_price: models }) =>
        models.length === 0 ? (
          "Every model has a price."
        ) : (
          <DataTable
            caption="Models without a price"
            columns={[{ name: "Provider" }, { name: "Model" }, { name: "Spans", isNumber: true }]}
            rows={models.map(({ provider, model, spans }) => [
              provider || "not told",
              model || "not told",
              count(spans),
            ])}
          />
        )
      }
    </Of>
  );
}

export function AnonymisedPanel() {
  return (
    <Of title="Personal data" counts="Personal data that was replaced before it was stored, by kind." height={160}>
      {({ anonymised }) => (
        <DataTable
          caption="Personal data"
          columns={[{ name: "Kind" }, { name: "Replaced", isNumber: true }]}
          rows={anonymised.map(({ kind, count: replaced }) => [label(kind), count(replaced)])}
        />
      )}
    </Of>
  );
}

export function CoveragePanel() {
  return (
    <Of
      title="Attributes of spans"
      counts="Which attributes of spans filled which columns, of the spans since the start."
      height={160}
      span={12}
    >
      {({ coverage }) =>
        coverage.length === 0 ? (
          "No span has come in since the start."
        ) : (
          <DataTable
            caption="Attributes of spans"
            columns={[{ name: "Column" }, { name: "Attribute" }, { name: "Spans", isNumber: true }]}
            rows={coverage.map(({ column, attribute, spans }) => [column, attribute, count(spans)])}
          />
        )
      }
    </Of>
  );
}

interface OfProps {
  title?: string;
  counts?: string;
  height: number;
  span?: number;
  children: (report: Report, zone: string) => ReactNode;
}

function Of({ title, counts, height, span = 6, children }: OfProps) {
  const asked = usePanel({ path: PATH });
  return (
    <Panel asked={asked} title={title} counts={counts} height={height} span={span}>
      {(report) => children(report, asked.view.timezone)}
    </Panel>
  );
}
