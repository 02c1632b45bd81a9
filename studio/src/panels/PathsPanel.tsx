/** Where users went from a route. */
import { Autocomplete, Box, TextField, Typography } from "@mui/material";
import { useQuery } from "@tanstack/react-query";
import { about, ask } from "../api/client";
import { count, percent } from "../format/numbers";
import { Panel } from "../panel/Panel";
import { questionOf } from "../panel/question";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import { one } from "../view/view";

const PATH = "/api/v1/product/paths";
const ROUTES = "/api/v1/product/routes";

export function PathsPanel() {
  const { view, search, set } = useView();
  const routes = useQuery({
    queryKey: [ROUTES, "names", view],
    queryFn: async ({ signal }) => {
      const { question } = questionOf(ROUTES, about(ROUTES), { view, search, own: { limit: "100" } });
      return (await ask(question, signal)).items.map(({ route_pattern }) => route_pattern);
    },
  });
  const route = one(search, "route") ?? routes.data?.[0];
  const { question, without, result } = usePanel({
    path: PATH,
    own: { route, top: "8" },
    enabled: route !== undefined,
  });
  return (
    <Panel
      title={about(PATH).title}
      question={question}
      without={without}
      result={result}
      span={6}
      instead={routes.isFetched && route === undefined && "No route was viewed in this range."}
      height={380}
      isEmpty={({ views }) => views === 0}
      actions={
        <Autocomplete
          disableClearable
          size="small"
          options={routes.data ?? []}
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
                title={`${count(one.share_numerator)} ÷ ${count(one.share_denominator)}`}
              >
                <Box sx={{ display: "flex", justifyContent: "space-between", gap: 1 }}>
                  <Typography variant="body2" noWrap>
                    {nameOf(one)}
                  </Typography>
                  <Typography variant="body2">
                    {count(one.views)} · {percent(one.share)}
                  </Typography>
                </Box>
                <Box
                  sx={{
                    height: 8,
                    borderRadius: 0.5,
                    bgcolor: one.kind === "route" ? "primary.main" : "text.disabled",
                    width: `${one.share * 100}%`,
                  }}
                />
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
