/** The view of the page, and how it is changed. */
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { readView, type Search, type View, writeParameter, writeView } from "./view";

export function useView() {
  const search = useRouterState({ select: (state) => state.location.search as Search });
  const navigate = useNavigate();
  const { view, problems } = useMemo(() => readView(search), [search]);

  /** Changes the address; one can go back from there. */
  const put = useCallback(
    (change: (search: Search) => Search) => {
      // Panels keep their place: a view that changes is the same page.
      void navigate({ to: ".", search: (before: Search) => change(before), resetScroll: false } as never);
    },
    [navigate],
  );
  const change = useCallback((changed: Partial<View>) => put((search) => writeView(search, changed)), [put]);
  /** Sets a parameter that is not part of the view of all pages; undefined = as usual. */
  const set = useCallback(
    (name: string, value: string | string[] | undefined) => put((search) => writeParameter(search, name, value)),
    [put],
  );
  return { view, search, problems, change, set };
}
