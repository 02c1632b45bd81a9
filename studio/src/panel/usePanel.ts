/** Asks the question of a panel in the view of the page. */
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { type AnswerOf, about, ask, type Path, type Question, type Values } from "../api/client";
import { useView } from "../view/useView";
import { isOpenEnded, type View } from "../view/view";
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

/** A question as it was asked, and what has become of it. */
export interface Asked<Answer> {
  question: Question;
  /** Sentences about parts of the view that do not apply. */
  without: string[];
  /** Parameters that are chosen in the panel. */
  choices: string[];
  result: UseQueryResult<Answer>;
  view: View;
}

export function usePanel<P extends Path>({
  path,
  of,
  own,
  choices = [],
  enabled,
}: PanelQuestion<P>): Asked<AnswerOf<P>> {
  const { view, search } = useView();
  const asked = questionOf(path, about(path), { view, search, choices, of, own });
  const result = useQuery({
    queryKey: [path, of, asked.question.query],
    queryFn: ({ signal }) => ask(asked.question, signal),
    refetchInterval: isOpenEnded(view.range) ? REFRESH_EVERY : false,
    enabled: enabled ?? true,
  });
  return { ...asked, choices, result, view };
}
