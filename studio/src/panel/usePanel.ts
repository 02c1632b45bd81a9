/** Asks the question of a panel in the view of the page. */
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { type AnswerOf, about, ask, type Path, type Question, type Values } from "../api/client";
import { useSession } from "../api/session";
import { useView } from "../view/useView";
import { isOpenEnded, type View } from "../view/view";
import { questionOf } from "./question";

/** What goes on is asked again after this, and what is over, of which a little may still come in, after that. */
const [REFRESH_EVERY, REFRESH_PAST_EVERY] = [60_000, 300_000];

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
  enabled = true,
}: PanelQuestion<P>): Asked<AnswerOf<P>> {
  const session = useSession();
  const { view, search } = useView();
  const asked = questionOf(path, about(path), { view, search, choices, of, own });
  const isPast = about(path).parameters.includes("range") && !isOpenEnded(view.range);
  // An answer is of one token and of one thing: what another one was told is not shown meanwhile.
  const subject = [session.number, path, JSON.stringify(of ?? null)];
  const result = useQuery({
    queryKey: [...subject, asked.question.query],
    queryFn: ({ signal }) => ask(asked.question, signal),
    refetchInterval: isPast ? REFRESH_PAST_EVERY : REFRESH_EVERY,
    enabled: enabled && session.state === "open",
    placeholderData: (before, query) =>
      subject.every((part, index) => query?.queryKey[index] === part) ? before : undefined,
  });
  return { ...asked, choices, result, view };
}
