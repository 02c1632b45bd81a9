/** What went wrong, in human words; asked again by itself when the server says that it passes. */
import ErrorOutlined from "@mui/icons-material/ErrorOutlined";
import { Box, Button, Stack, Typography } from "@mui/material";
import { useEffect, useState } from "react";
import { type Problem, wordsOf } from "../api/problem";

/** Seconds until a problem that passes is asked again, where the server does not say. */
const USUAL_WAIT = 5;
/** So often a panel asks by itself; after that, people do. */
const MOST_RETRIES = 5;

interface ProblemStateProps {
  problem: Problem;
  onRetry: () => void;
  isAsking: boolean;
}

export function ProblemState({ problem, onRetry, isAsking }: ProblemStateProps) {
  const { title, remedy } = wordsOf(problem);
  const [retries, setRetries] = useState(0);
  const [left, setLeft] = useState(0);

  // Each new problem begins its own wait.
  useEffect(() => setLeft(Math.ceil(problem.retryAfter ?? (problem.passes ? USUAL_WAIT : 0))), [problem]);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => {
      setLeft(left - 1);
      if (left === 1 && problem.passes && retries < MOST_RETRIES) {
        setRetries(retries + 1);
        onRetry();
      }
    }, 1_000);
    return () => clearTimeout(timer);
  }, [left, problem, retries, onRetry]);

  return (
    <Box
      data-problem={problem.code}
      sx={{ display: "grid", placeItems: "center", minHeight: 160, height: "100%", textAlign: "center", p: 2 }}
    >
      <Stack spacing={1} sx={{ alignItems: "center", maxWidth: 560 }}>
        <ErrorOutlined color="error" />
        <Typography role="alert" sx={{ fontWeight: 600 }}>
          {title}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {remedy}
        </Typography>
        {(problem.errors.length > 0
          ? problem.errors.map(sentence)
          : problem.detail !== title && problem.detail
            ? [problem.detail]
            : []
        ).map((text) => (
          <Typography key={text} variant="body2" sx={{ overflowWrap: "anywhere" }}>
            {text}
          </Typography>
        ))}
        {problem.requestId && (
          <Typography variant="caption" color="textSecondary">
            Request {problem.requestId}
          </Typography>
        )}
        <Button size="small" variant="outlined" onClick={onRetry} disabled={left > 0} aria-disabled={isAsking}>
          {isAsking ? "Asking…" : left > 0 ? `Ask again in ${left} s` : "Ask again"}
        </Button>
      </Stack>
    </Box>
  );
}

function sentence({ parameter, pointer, detail }: { parameter?: string; pointer?: string; detail: string }): string {
  const place = parameter ?? pointer;
  return place ? `${place}: ${detail}` : detail;
}
