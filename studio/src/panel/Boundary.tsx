/** What breaks while it is drawn breaks alone. */
import { Alert, AlertTitle } from "@mui/material";
import { Component, type ReactNode } from "react";

interface BoundaryProps {
  /** What is drawn: with another answer it is tried again. */
  of: unknown;
  title: string;
  children: ReactNode;
}

interface BoundaryState {
  of: unknown;
  why: string | null;
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { of: undefined, why: null };

  static getDerivedStateFromProps({ of }: BoundaryProps, state: BoundaryState): BoundaryState | null {
    return state.of === of ? null : { of, why: null };
  }

  static getDerivedStateFromError(error: unknown): Partial<BoundaryState> {
    return { why: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    const { why } = this.state;
    if (why === null) return this.props.children;
    return (
      <Alert severity="error" variant="outlined" sx={{ gridColumn: "1 / -1" }}>
        <AlertTitle>{this.props.title} cannot be drawn</AlertTitle>
        {why}
      </Alert>
    );
  }
}
