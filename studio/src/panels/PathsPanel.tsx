/** Where users went from a route. */
import { Autocomplete, Box, TextField, Typography } from "@mui/material";
import { Bar } from "../charts/Bar";
import { count, parts, percent } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";

export function PathsPanel() {
  const { search, set } = useView();
  const { result: routes } = usePanel({ path: "/api/v1/product/routes", own: { limit: "100" } });
  const names = routes.data?.items.map(({ route_pattern }) => route_pattern) ?? [];
  const route = one(search, "route") ?? names[0];
  const asked = usePanel({
    path: "/api/v1/product/paths",
    own: { route, top: "8" },
    enabled: route !== undefined,
  });
  return (
    <Panel
      asked={asked}
      span={6}
      needs={route === undefined ? routes : undefined}
      instead={routes.isSuccess && route === undefined && "No route was viewed in this range."}
      height={380}
      isEmpty={({ views }) => views === 0}
      actions={
        <Autocomplete
          disableClearable
          size="small"
          options={names}
          value={route ?? ""}
          onChange={(_, next) => set("route", next)}
          renderInput={(input) => <TextField {...input} label="From" />}
          sx={{ minWidth: 260 }}
        />
      }
      table={({ next }) => ({
        columns: [{ name: "Next" }, { name: "Views", isNumber: true }, { name: "Share", isNumber: true }],
        rows: next.map((one) => [nameOf(one), count(one.views), percent(one.share)]),
      })}
    >
      {({ next, views }) => (
        <>
          <Typography variant="body2" sx={{ mb: 1 }}>
            {count(views)} views, and what came next:
          </Typography>
          <Box component="ul" aria-label={`Next of ${route}`} sx={{ m: 0, p: 0, listStyle: "none" }}>
            {next.map((one) => (
              <Box
                component="li"
                key={nameOf(one)}
                sx={{ mb: 1 }}
                title={parts(one.share_numerator, one.share_denominator)}
              >
                <Box sx={{ display: "flex", justifyContent: "space-between", gap: 1 }}>
                  <Typography variant="body2" noWrap>
                    {nameOf(one)}
                  </Typography>
                  <Typography variant="body2">
                    {count(one.views)} · {percent(one.share)}
                  </Typography>
                </Box>
                <Bar part={one.share} height={8} colour={one.kind === "route" ? "primary.main" : "text.disabled"} />
              </Box>
            ))}
          </Box>
        </>
      )}
    </Panel>
  );
}

function nameOf({ kind, route_pattern }: { kind: string; route_pattern?: string | null }): string {
  return kind === "exit" ? "End of the session" : kind === "other" ? "All others" : (route_pattern ?? "");
}
