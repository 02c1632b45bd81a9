/** Asks the question of a panel in the view of the page. */
import { useQuery } from "@tanstack/react-query";
import { about, ask, type Path, type Values } from "../api/client";
import { useView } from "../view/useView";
import { isOpenEnded } from "../view/view";
import { questionOf } from "./question";

const REFRESH_EVERY = 60_000;

export interface PanelQuestion<P extends Path> {
  path: P;
  of?: Record<string, string> | undefined;
  /** Parameters that the panel sets itself, over those of the view. */
  own?: Values | undefined;
  /** Parameters of the question that the address may have. */
  choices?: string[] | undefined;
  /** False = not asked yet. */
  enabled?: boolean | undefined;
}

export function usePanel<P extends Path>({ path, of, own, choices, enabled }: PanelQuestion<P>) {
  const { view, search } = useView();
  const asked = questionOf(path, about(path), { view, search, choices, of, own });
  const result = useQuery({
    queryKey: [path, of, asked.question.query],
    queryFn: ({ signal }) => ask(asked.question, signal),
    refetchInterval: isOpenEnded(view.range) ? REFRESH_EVERY : false,
    enabled: enabled ?? true,
  });
  return { ...asked, result, view };
}
