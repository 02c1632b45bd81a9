/** A question whose answer is a table: sorted and turned over by the server. */
import { Box, TablePagination, TableSortLabel, Tooltip } from "@mui/material";
import type { ReactNode } from "react";
import { about, type RowOf, type TablePath, type Tabular, type Values } from "../api/client";
import { Bar } from "../charts/Bar";
import { label } from "../format/names";
import { count, knownMoney, parts, percent, UNKNOWN, type Value, value } from "../format/numbers";
import { moment } from "../format/times";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { DataTable } from "./DataTable";
import { Panel } from "./Panel";
import { unknownHere } from "./question";
import { type Asked, type PanelQuestion, usePanel } from "./usePanel";

/** A column: the name of a field, with how it is shown where its name does not tell. */
export interface Column<Row> {
  key: keyof Row & string;
  name?: string;
  cell?: (row: Row) => ReactNode;
  isNumber?: boolean;
  isProse?: boolean;
  /** False = the server cannot sort by it. */
  sorts?: boolean;
}

interface TablePanelProps<P extends TablePath> extends PanelQuestion<P> {
  title?: string;
  counts?: string;
  span?: number;
  columns: (Column<RowOf<P>> | (keyof RowOf<P> & string))[];
  rowsPerPage?: number;
  /** Rows that room is kept for, where there are likely fewer than a page has. */
  expected?: number;
  actions?: ReactNode;
}

const ROW_HEIGHT = 37;
const CLIPPED = { maxWidth: 320, overflow: "hidden", textOverflow: "ellipsis" };

export function TablePanel<P extends TablePath>({
  title,
  counts,
  span = 12,
  columns,
  rowsPerPage = 10,
  expected = rowsPerPage,
  actions,
  own,
  ...given
}: TablePanelProps<P>) {
  const { search, set, view } = useView();
  const { title: usual, parameters } = about(given.path);
  const name = given.path.split("/").at(-1)!;
  const shown = columns.map((column): Column<RowOf<P>> => (typeof column === "string" ? { key: column } : column));
  const sorts = (key: string) =>
    parameters.includes("sort") && shown.some((column) => column.key === key && column.sorts !== false);
  const givenSort = one(search, `${name}.sort`);
  const sort = givenSort !== undefined && sorts(givenSort.replace(/^-/, "")) ? givenSort : undefined;
  const givenOffset = one(search, `${name}.offset`) ?? "0";
  const offset = /^\d{1,9}$/.test(givenOffset) ? Number(givenOffset) : 0;
  const place: Values = {
    sort,
    offset: parameters.includes("offset") && offset > 0 ? String(offset) : undefined,
    limit: parameters.includes("limit") ? String(rowsPerPage) : undefined,
  };
  const asked = usePanel({ ...given, own: { ...own, ...place } }) as unknown as Asked<Tabular>;
  const unknown = [
    ...(sort === givenSort ? [] : [unknownHere(`${name}.sort`, givenSort!)]),
    ...(String(offset) === givenOffset ? [] : [unknownHere(`${name}.offset`, givenOffset)]),
  ];
  const sorted = sort?.replace(/^-/, "");
  const sorter = ({ key, name: said }: Column<RowOf<P>>) => (
    <TableSortLabel
      active={sorted === key}
      direction={sorted === key && !sort?.startsWith("-") ? "asc" : "desc"}
      onClick={() => set(`${name}.sort`, sort === `-${key}` ? key : `-${key}`)}
    >
      {said ?? label(key)}
    </TableSortLabel>
  );

  return (
    <Panel
      asked={{ ...asked, without: [...asked.without, ...unknown] }}
      title={title}
      counts={counts}
      span={span}
      height={ROW_HEIGHT * (expected + 1) + (expected < rowsPerPage ? 0 : 52)}
      actions={actions}
      isEmpty={(answer) => answer.page.total === 0}
    >
      {(answer) => {
        const items = answer.items as RowOf<P>[];
        const first = items[0] as Record<string, unknown> | undefined;
        const isNumber = (column: Column<RowOf<P>>) =>
          column.isNumber ??
          (column.cell === undefined && (typeof first?.[column.key] === "number" || isQuantity(column.key)));
        return (
          <Box sx={{ display: "flex", flexDirection: "column", height: "100%" }}>
            <DataTable
              caption={title ?? usual}
              maxHeight="none"
              columns={shown.map((column) => ({
                name: column.name ?? label(column.key),
                header: sorts(column.key) ? sorter(column) : undefined,
                sorted: sorted === column.key ? (sort?.startsWith("-") ? "desc" : "asc") : undefined,
                isNumber: isNumber(column),
                isProse: column.isProse,
                sx: column.isProse ? undefined : CLIPPED,
              }))}
              rows={items.map((row) =>
                shown.map(({ key, cell }) =>
                  cell ? cell(row) : <Field row={row as Record<string, unknown>} name={key} zone={view.timezone} />,
                ),
              )}
            />
            {(answer.page.total > rowsPerPage || offset > 0) && (
              <TablePagination
                component="div"
                count={answer.page.total}
                page={Math.floor(offset / rowsPerPage)}
                rowsPerPage={rowsPerPage}
                rowsPerPageOptions={[rowsPerPage]}
                onPageChange={(_, page) => set(`${name}.offset`, page === 0 ? undefined : String(page * rowsPerPage))}
                labelDisplayedRows={({ from, to, count: all }) => `${count(from)}–${count(to)} of ${count(all)}`}
              />
            )}
          </Box>
        );
      }}
    </Panel>
  );
}

/** Whether a name tells that its values are quantities, also where the first one is not known. */
function isQuantity(name: string): boolean {
  return /(_ms|_usd|_rate|_share|^share|_mean)$/.test(name);
}

/** A field as its name says what it is. */
function Field({ row, name, zone }: { row: Record<string, unknown>; name: string; zone: string }) {
  const of = row[name];
  if (name === "cost_usd" && typeof row.priced_calls === "number") return <Cost of={of as Value} row={row} />;
  if (of === null || of === undefined) return UNKNOWN;
  if (typeof of === "boolean") return of ? "yes" : "no";
  if (name.endsWith("_usd")) return value(of as string, "usd");
  if (typeof of === "number") {
    if (/(_rate|_share|^share)$/.test(name)) return <Ratio of={of} row={row} name={name} />;
    return value(of, name.endsWith("_ms") ? "ms" : "count");
  }
  if (/(^time|_seen|_exposure|_at)$/.test(name)) return moment(String(of), zone);
  return <span title={String(of)}>{String(of)}</span>;
}

/** What calls cost, with how many of them it is known of. */
function Cost({ of, row }: { of: Value; row: Record<string, unknown> }) {
  const { shows, title } = knownMoney(of, row.priced_calls as number, row.calls as number);
  return (
    <Tooltip title={title}>
      <span>{shows}</span>
    </Tooltip>
  );
}

/** A ratio with what it is made of. */
function Ratio({ of, row, name }: { of: number; row: Record<string, unknown>; name: string }) {
  const [numerator, denominator] = [row[`${name}_numerator`], row[`${name}_denominator`]] as (number | undefined)[];
  return (
    <Tooltip title={parts(numerator, denominator)}>
      <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
        <Box
          component="span"
          aria-hidden
          sx={{ width: 32, height: 6, borderRadius: 1, bgcolor: "action.selected", overflow: "hidden" }}
        >
          <Bar part={of} height={6} />
        </Box>
        {percent(of)}
      </Box>
    </Tooltip>
  );
}
