/** The time that is looked at: a preset, or days and instants of one's own. */
import CalendarMonth from "@mui/icons-material/CalendarMonth";
import { Box, Button, Divider, MenuItem, MenuList, Popover, Stack, TextField } from "@mui/material";
import { useState } from "react";
import { day, moment } from "../format/times";
import { DEFAULT_RANGE, type Preset, RANGES, type Range } from "../view/view";

interface RangeControlProps {
  range: Range;
  zone: string;
  onChange: (range: Range) => void;
}

export function RangeControl({ range, zone, onChange }: RangeControlProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [own, setOwn] = useState({ from: "", to: "" });
  const choose = (next: Range) => {
    setAnchor(null);
    onChange(next);
  };
  const open = (element: HTMLElement) => {
    setOwn("from" in range ? { from: range.from.slice(0, 10), to: range.to.slice(0, 10) } : { from: "", to: "" });
    setAnchor(element);
  };
  const isRange = own.from !== "" && own.to !== "" && own.from <= own.to;
  return (
    <>
      <Button
        variant="outlined"
        color="inherit"
        startIcon={<CalendarMonth />}
        aria-haspopup="dialog"
        aria-expanded={anchor !== null}
        onClick={(event) => open(event.currentTarget)}
        sx={{ whiteSpace: "nowrap" }}
      >
        {rangeName(range, zone)}
      </Button>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "left" }}
        slotProps={{ paper: { role: "dialog", "aria-label": "Date range" } }}
      >
        <Stack direction={{ xs: "column", sm: "row" }} divider={<Divider orientation="vertical" flexItem />}>
          <MenuList dense autoFocus sx={{ columnCount: { xs: 2, sm: 1 } }} aria-label="Presets">
            {(Object.keys(RANGES) as Preset[]).map((preset) => (
              <MenuItem
                key={preset}
                selected={"preset" in range && range.preset === preset}
                onClick={() => choose({ preset })}
              >
                {RANGES[preset]}
              </MenuItem>
            ))}
          </MenuList>
          <Box
            component="form"
            sx={{ p: 2, display: "grid", gap: 2, alignContent: "start", minWidth: 220 }}
            onSubmit={(event) => {
              event.preventDefault();
              if (isRange) choose(own);
            }}
          >
            <TextField
              type="date"
              size="small"
              label="First day"
              value={own.from}
              onChange={(event) => setOwn({ ...own, from: event.target.value })}
              slotProps={{ inputLabel: { shrink: true } }}
            />
            <TextField
              type="date"
              size="small"
              label="Last day"
              value={own.to}
              onChange={(event) => setOwn({ ...own, to: event.target.value })}
              error={own.from !== "" && own.to !== "" && !isRange}
              helperText={own.from !== "" && own.to !== "" && !isRange ? "before the first day" : "included"}
              slotProps={{ inputLabel: { shrink: true } }}
            />
            <Button type="submit" variant="contained" disabled={!isRange}>
              Show
            </Button>
          </Box>
        </Stack>
      </Popover>
    </>
  );
}

export function rangeName(range: Range, zone: string): string {
  if ("preset" in range) return RANGES[range.preset] ?? RANGES[DEFAULT_RANGE];
  const said = (instant: string) => (instant.includes("T") ? moment(instant, zone) : day(instant, zone));
  return range.from === range.to ? said(range.from) : `${said(range.from)} to ${said(range.to)}`;
}
