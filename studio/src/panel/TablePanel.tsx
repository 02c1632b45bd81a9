/** A question whose answer is a table: sorted and turned over by the server. */
import {
  Box,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableHead,
  TablePagination,
  TableRow,
  TableSortLabel,
  Tooltip,
} from "@mui/material";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { about, type RowOf, type TablePath, type Tabular, type Values } from "../api/client";
import { label } from "../format/names";
import { count, percent, UNKNOWN, value } from "../format/numbers";
import { moment } from "../format/times";
import { useView } from "../view/useView";
import { one } from "../view/view";
import { Panel } from "./Panel";
import { type PanelQuestion, usePanel } from "./usePanel";

/** A column: the name of a field, with how it is shown where its name does not tell. */
export interface Column<Row> {
  key: keyof Row & string;
  name?: string;
  cell?: (row: Row) => ReactNode;
  isNumber?: boolean;
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

export function TablePanel<P extends TablePath>({
  title,
  counts,
  span = 12,
  columns,
  rowsPerPage = 10,
  expected = rowsPerPage,
  actions,
  own,
  ...asked
}: TablePanelProps<P>) {
  const { search, set, view } = useView();
  const { title: usual, parameters } = about(asked.path);
  const name = asked.path.split("/").at(-1)!;
  const sort = one(search, `${name}.sort`);
  const offset = Math.max(0, Number(one(search, `${name}.offset`)) || 0);
  const place: Values = {
    sort: parameters.includes("sort") ? sort : undefined,
    offset: parameters.includes("offset") && offset > 0 ? String(offset) : undefined,
    limit: parameters.includes("limit") ? String(rowsPerPage) : undefined,
  };
  const { question, without, result } = usePanel({ ...asked, own: { ...own, ...place } });
  const shown = columns.map((column): Column<RowOf<P>> => (typeof column === "string" ? { key: column } : column));
  const sorted = sort?.replace(/^-/, "");

  return (
    <Panel
      title={title ?? usual}
      counts={counts}
      question={{ ...question, query: { ...question.query, limit: undefined, offset: undefined } }}
      without={without}
      result={result as unknown as UseQueryResult<Tabular>}
      span={span}
      height={ROW_HEIGHT * (expected + 1) + (expected < rowsPerPage ? 0 : 52)}
      choices={asked.choices}
      actions={actions}
      isEmpty={(answer) => answer.items.length === 0 && offset === 0}
    >
      {(answer) => {
        const items = answer.items as RowOf<P>[];
        const first = items[0] as Record<string, unknown> | undefined;
        const isNumber = (column: Column<RowOf<P>>) =>
          column.isNumber ??
          (column.cell === undefined && (typeof first?.[column.key] === "number" || isQuantity(column.key)));
        return (
          <Box sx={{ display: "flex", flexDirection: "column", height: "100%" }}>
            <TableContainer tabIndex={0} role="group" aria-label={`${title ?? usual}, rows`} sx={{ flexGrow: 1 }}>
              <Table size="small" aria-label={title ?? usual}>
                <TableHead>
                  <TableRow>
                    {shown.map((column) => (
                      <TableCell
                        key={column.key}
                        align={isNumber(column) ? "right" : "left"}
                        sortDirection={sorted === column.key ? (sort?.startsWith("-") ? "desc" : "asc") : false}
                        sx={{ whiteSpace: "nowrap" }}
                      >
                        {parameters.includes("sort") && column.sorts !== false ? (
                          <TableSortLabel
                            active={sorted === column.key}
                            direction={sorted === column.key && !sort?.startsWith("-") ? "asc" : "desc"}
                            onClick={() =>
                              set(`${name}.sort`, sort === `-${column.key}` ? column.key : `-${column.key}`)
                            }
                          >
                            {column.name ?? label(column.key)}
                          </TableSortLabel>
                        ) : (
                          (column.name ?? label(column.key))
                        )}
                      </TableCell>
                    ))}
                  </TableRow>
                </TableHead>
                <TableBody>
                  {items.map((row, index) => (
                    <TableRow key={index} hover>
                      {shown.map((column) => (
                        <TableCell
                          key={column.key}
                          align={isNumber(column) ? "right" : "left"}
                          sx={{
                            fontVariantNumeric: "tabular-nums",
                            maxWidth: 320,
                            overflow: "hidden",
                            textOverflow: "ellipsis",
                            whiteSpace: "nowrap",
                          }}
                        >
                          {column.cell ? (
                            column.cell(row)
                          ) : (
                            <Cell row={row as Record<string, unknown>} name={column.key} zone={view.timezone} />
                          )}
                        </TableCell>
                      ))}
                    </TableRow>
                  ))}
                </TableBody>
              </Table>
            </TableContainer>
            {answer.page.total > rowsPerPage && (
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
export function Cell({ row, name, zone }: { row: Record<string, unknown>; name: string; zone: string }) {
  const of = row[name];
  if (of === null || of === undefined) return UNKNOWN;
  if (typeof of === "boolean") return of ? "yes" : "no";
  if (name.endsWith("_usd")) return value(of as string, "usd");
  if (typeof of === "number") {
    if (/(_rate|_share|^share)$/.test(name)) return <Ratio of={of} row={row} name={name} />;
    return value(of, name.endsWith("_ms") ? "ms" : "count");
  }
  if (typeof of === "string" && /^\d{4}-\d{2}-\d{2}T/.test(of)) return moment(of, zone);
  return <span title={String(of)}>{String(of)}</span>;
}

/** A ratio with what it is made of. */
function Ratio({ of, row, name }: { of: number; row: Record<string, unknown>; name: string }) {
  const [numerator, denominator] = [row[`${name}_numerator`], row[`${name}_denominator`]];
  const parts =
    typeof numerator === "number" && typeof denominator === "number"
      ? `${count(numerator)} ÷ ${count(denominator)}`
      : "";
  return (
    <Tooltip title={parts}>
      <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
        <Box
          component="span"
          aria-hidden
          sx={{ width: 40, height: 6, borderRadius: 1, bgcolor: "action.selected", overflow: "hidden" }}
        >
          <Box
            component="span"
            sx={{
              display: "block",
              height: 1,
              width: `${Math.min(1, Math.max(0, of)) * 100}%`,
              bgcolor: "primary.main",
            }}
          />
        </Box>
        {percent(of)}
      </Box>
    </Tooltip>
  );
}
