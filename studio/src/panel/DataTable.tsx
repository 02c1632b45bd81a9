/** A plain table of values that are drawn elsewhere. */
import { Table, TableBody, TableCell, TableContainer, TableHead, TableRow } from "@mui/material";
import type { ReactNode } from "react";

export interface TableOf {
  columns: { name: string; isNumber?: boolean }[];
  rows: ReactNode[][];
}

export function DataTable({ caption, columns, rows }: TableOf & { caption: string }) {
  return (
    // It scrolls, so it can be reached with the keyboard.
    <TableContainer tabIndex={0} role="group" aria-label={`${caption} as a table`} sx={{ maxHeight: 420 }}>
      <Table size="small" stickyHeader aria-label={caption}>
        <TableHead>
          <TableRow>
            {columns.map(({ name, isNumber }) => (
              <TableCell key={name} align={isNumber ? "right" : "left"}>
                {name}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row, index) => (
            <TableRow key={index}>
              {row.map((cell, at) => (
                <TableCell
                  key={columns[at]?.name}
                  align={columns[at]?.isNumber ? "right" : "left"}
                  sx={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}
                >
                  {cell}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}
