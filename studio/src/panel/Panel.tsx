/** The frame of everything that is shown: what is counted, in which state it is, and what can be taken from it. */
import InfoOutlined from "@mui/icons-material/InfoOutlined";
import TableRows from "@mui/icons-material/TableRows";
import Timeline from "@mui/icons-material/Timeline";
import { Box, Card, Collapse, IconButton, Skeleton, Stack, Tooltip, Typography } from "@mui/material";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useMemo, useState } from "react";
import { about, addressOf, type Schemas } from "../api/client";
import { type Problem, problemOf } from "../api/problem";
import { count, duration } from "../format/numbers";
import { moment } from "../format/times";
import { Ago } from "./Ago";
import { Boundary } from "./Boundary";
import { Choices } from "./Choices";
import { DataTable, type TableOf } from "./DataTable";
import { Empty } from "./Empty";
import { PanelMenu } from "./PanelMenu";
import { ProblemState } from "./ProblemState";
import type { Asked } from "./usePanel";

export interface PanelProps<Answer> {
  asked: Asked<Answer>;
  /** Instead of what the document calls it. */
  title?: string | undefined;
  /** Instead of what the document says is counted. */
  counts?: string | undefined;
  /** Columns of twelve, on wide screens. */
  span?: number;
  /** The least height of what is inside, so that nothing moves when it comes. */
  height?: number;
  actions?: ReactNode;
  isEmpty?: (answer: Answer) => boolean;
  /** The same values as a table, for what is drawn. */
  table?: (answer: Answer) => TableOf;
  /** Shown in place of an answer, where there is nothing to ask about. */
  instead?: ReactNode;
  /** What has to be known before the question can be asked, as far as it is asked for. */
  needs?: UseQueryResult<unknown> | undefined;
  /** True = without a card around it. */
  isBare?: boolean;
  children: (answer: Answer) => ReactNode;
}

export function Panel<Answer>(props: PanelProps<Answer>) {
  return (
    <Boundary of={props.asked.result.data} title={props.title ?? about(props.asked.question.path).title}>
      <Frame {...props} />
    </Boundary>
  );
}

function Frame<Answer>(props: PanelProps<Answer>) {
  const { span = 12, height = 320, isEmpty, table, children } = props;
  const { question, without, choices, result } = props.asked;
  const told = about(question.path);
  const title = props.title ?? told.title;
  const [asTable, setAsTable] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  const heading = useId();
  const answer = result.data;
  const meta = metaOf(answer);
  const failed = useFailed(addressOf(question), props.needs?.isError ? props.needs : result);
  const counts = plain(props.counts ?? told.counts);

  return (
    <Card
      component="section"
      variant={props.isBare ? "elevation" : "outlined"}
      elevation={0}
      aria-labelledby={heading}
      aria-busy={result.isFetching}
      data-panel={question.path}
      sx={{
        gridColumn: { xs: "1 / -1", md: `span ${span}` },
        p: props.isBare ? 0 : 2,
        minWidth: 0,
        display: "flex",
        flexDirection: "column",
        ...(props.isBare && { bgcolor: "transparent", overflow: "visible" }),
      }}
    >
      <Stack direction="row" spacing={1} sx={{ alignItems: "flex-start" }}>
        <Typography
          variant="h6"
          component="h2"
          id={heading}
          sx={{ fontSize: 16, flexGrow: 1, overflowWrap: "anywhere", minWidth: 0 }}
        >
          {title}
        </Typography>
        <Stack direction="row" sx={{ flexShrink: 0, alignItems: "center" }}>
          {table && (
            <Tooltip title={asTable ? "Draw it" : "Show as a table"}>
              <IconButton
                size="small"
                aria-label={`${title}: ${asTable ? "draw it" : "show as a table"}`}
                onClick={() => setAsTable(!asTable)}
              >
                {asTable ? <Timeline fontSize="small" /> : <TableRows fontSize="small" />}
              </IconButton>
            </Tooltip>
          )}
          <Tooltip title="What is counted">
            <IconButton
              size="small"
              aria-label={`${title}: what is counted`}
              aria-expanded={isOpen}
              onClick={() => setIsOpen(!isOpen)}
            >
              <InfoOutlined fontSize="small" />
            </IconButton>
          </Tooltip>
          <PanelMenu title={title} question={question} />
        </Stack>
      </Stack>
      <Typography variant="body2" color="textSecondary">
        {firstSentence(counts)}
      </Typography>
      {(choices.length > 0 || props.actions) && (
        <Stack direction="row" useFlexGap sx={{ flexWrap: "wrap", gap: 1, mt: 1.5 }}>
          <Choices path={question.path} names={choices} />
          {props.actions}
        </Stack>
      )}
      <Collapse in={isOpen} unmountOnExit>
        <Notes sentences={[counts, ...(meta?.notes ?? []).map(plain)]} meta={meta} />
      </Collapse>
      {without.map((sentence) => (
        <Typography key={sentence} variant="caption" sx={{ color: "warning.main", display: "block" }}>
          {sentence}
        </Typography>
      ))}
      <Box sx={{ mt: 1.5, minHeight: height, flexGrow: 1, opacity: result.isPlaceholderData ? 0.55 : 1, minWidth: 0 }}>
        {failed ? (
          <ProblemState {...failed} />
        ) : props.instead ? (
          <Typography color="textSecondary">{props.instead}</Typography>
        ) : answer === undefined ? (
          <Skeleton variant="rounded" height={height} role="img" aria-label="Loading" />
        ) : isEmpty?.(answer) ? (
          <Empty meta={meta} />
        ) : asTable && table ? (
          <DataTable caption={title} {...table(answer)} />
        ) : (
          children(answer)
        )}
      </Box>
      <Footer meta={failed ? null : meta} />
    </Card>
  );
}

/** The last failure of a question, until it is answered: also while it is asked again. */
function useFailed(question: string, result: UseQueryResult<unknown>) {
  const [kept, setKept] = useState<{ question: string; problem: Problem } | null>(null);
  const isAnswered = result.isSuccess && !result.isPlaceholderData;
  const present = useMemo(() => (result.isError ? problemOf(result.error) : null), [result.isError, result.error]);
  useEffect(() => {
    if (present) setKept({ question, problem: present });
    else if (isAnswered) setKept(null);
  }, [question, present, isAnswered]);
  const problem = present ?? (isAnswered || kept?.question !== question ? null : kept.problem);
  if (!problem) return null;
  return { problem, onRetry: () => void result.refetch(), isAsking: result.isFetching };
}

function metaOf(answer: unknown): Schemas["Meta"] | null {
  return typeof answer === "object" && answer !== null && "meta" in answer ? (answer.meta as Schemas["Meta"]) : null;
}

/** The document marks code; people read words. */
function plain(text: string): string {
  return text.replaceAll("`", "");
}

/** A description begins with what is counted; the rest is for who asks. */
function firstSentence(text: string): string {
  return /^.*?[.?!](?=\s+[A-Z]|$)/s.exec(text)?.[0] ?? text;
}

/** Notes of the API that say that a value is not exact. */
export function isApproximate(notes: string[]): boolean {
  return notes.some((note) => /within \d+(\.\d+)? %|approximat/i.test(note));
}

function Notes({ sentences, meta }: { sentences: string[]; meta: Schemas["Meta"] | null }) {
  return (
    <Box sx={{ mt: 1, p: 1.5, borderRadius: 1, bgcolor: "action.hover" }}>
      {sentences.map((sentence) => (
        <Typography key={sentence} variant="body2" sx={{ mb: 0.5, overflowWrap: "anywhere" }}>
          {sentence}
        </Typography>
      ))}
      {meta && (
        <Typography variant="caption" color="textSecondary" sx={{ overflowWrap: "anywhere" }}>
          {moment(meta.range.from, meta.timezone)} to {moment(meta.range.to, meta.timezone)} ({meta.timezone}). Read
          from {meta.source}: {count(meta.rows_read)} rows in {duration(meta.elapsed_ms)}, query {meta.query_id}.
        </Typography>
      )}
    </Box>
  );
}

function Footer({ meta }: { meta: Schemas["Meta"] | null }) {
  return (
    <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1, minHeight: 20 }}>
      {meta && (
        <>
          {isApproximate(meta.notes) && <Box component="strong">Approximate · </Box>}
          {meta.fresh_as_of ? (
            <>
              Newest row <Ago instant={meta.fresh_as_of} zone={meta.timezone} />
            </>
          ) : (
            "No rows yet"
          )}
        </>
      )}
    </Typography>
  );
}
