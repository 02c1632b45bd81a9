/** Every table: of rows, of values that are drawn elsewhere, and of drawings. */
import {
  type SxProps,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableHead,
  TableRow,
  type Theme,
} from "@mui/material";
import type { ReactNode } from "react";

export interface TableOf {
  /** The first one names its row. */
  columns: ColumnOf[];
  rows: (ReactNode | Cell)[][];
}

type Style = Exclude<SxProps<Theme>, readonly unknown[]>;

export interface ColumnOf {
  name: string;
  /** More than the name, such as how it is sorted. */
  header?: ReactNode;
  sorted?: "asc" | "desc" | undefined;
  isNumber?: boolean | undefined;
  /** Sentences: they are broken into lines. */
  isProse?: boolean | undefined;
  sx?: Style | undefined;
}

/** A cell with more to it than what it shows. */
export interface Cell {
  shows: ReactNode;
  title?: string;
  sx?: Style;
}

interface DataTableProps extends TableOf {
  caption: string;
  /** Pixels after which it scrolls by itself. */
  maxHeight?: number | "none";
}

const VALUES = { fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" };
const PROSE = { minWidth: 280, overflowWrap: "anywhere" };

export function DataTable({ caption, columns, rows, maxHeight = 420 }: DataTableProps) {
  return (
    // It scrolls, so it can be reached with the keyboard.
    <TableContainer tabIndex={0} role="group" aria-label={`${caption}, rows`} sx={{ maxHeight, flexGrow: 1 }}>
      <Table size="small" stickyHeader={maxHeight !== "none"} aria-label={caption}>
        <TableHead>
          <TableRow>
            {columns.map(({ name, header, sorted, isNumber, sx }) => (
              <TableCell
                key={name}
                align={isNumber ? "right" : "left"}
                sortDirection={sorted ?? false}
                // Where there is little room a table scrolls anyway, and its head need not be high.
                sx={[{ whiteSpace: { xs: "nowrap", md: "normal" } }, sx ?? null]}
              >
                {header ?? name}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row, index) => (
            <TableRow key={index} hover>
              {row.map((given, at) => {
                const { shows, title, sx }: Cell = isCell(given) ? given : { shows: given };
                const column = columns[at];
                return (
                  <TableCell
                    key={column?.name}
                    {...(at === 0 && { component: "th", scope: "row" })}
                    align={column?.isNumber ? "right" : "left"}
                    title={title}
                    sx={[column?.isProse ? PROSE : VALUES, column?.sx ?? null, sx ?? null]}
                  >
                    {shows}
                  </TableCell>
                );
              })}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function isCell(given: ReactNode | Cell): given is Cell {
  return typeof given === "object" && given !== null && "shows" in given;
}
