/** Addresses and their pages. */
import { Link as PlainLink, Skeleton, Typography } from "@mui/material";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { one, ownZone, parseSearch, type Search, stringifySearch } from "../view/view";
import { Broken } from "./Broken";
import { Shell } from "./Shell";

const root = createRootRoute({
  component: Shell,
  errorComponent: Broken,
  notFoundComponent: () => (
    <Typography>
      This address has no page. <PlainLink href="/">The overview</PlainLink> has links to all there are.
    </Typography>
  ),
  validateSearch: (search): Search => search as Search,
  // An address that is shared shows the same to everyone, so it names the zone.
  beforeLoad: ({ search }) => {
    if (one(search, "timezone") === undefined) {
      throw redirect({ to: ".", search: { ...search, timezone: ownZone() } as never, replace: true });
    }
  },
});

const page = <Path extends string>(path: Path, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });

const routes = [
  page("/", () => import("../pages/Overview")),
  page("/recommendations", () => import("../pages/Recommendations")),
  page("/assistants", () => import("../pages/Assistants")),
  page("/traces", () => import("../pages/Traces")),
  page("/traces/$traceId", () => import("../pages/Trace")),
  page("/voice-agents", () => import("../pages/VoiceAgents")),
  page("/experiments", () => import("../pages/Experiments")),
  page("/experiments/$experimentId", () => import("../pages/Experiment")),
  page("/product", () => import("../pages/Product")),
  page("/operations", () => import("../pages/Operations")),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  defaultPendingComponent: () => <Skeleton variant="rounded" height={480} role="img" aria-label="Loading" />,
  defaultPendingMs: 100,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
