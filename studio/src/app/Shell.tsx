/** The frame of every page: navigation, controls, and who looks. */
import DarkMode from "@mui/icons-material/DarkMode";
import LightMode from "@mui/icons-material/LightMode";
import MenuIcon from "@mui/icons-material/Menu";
import {
  Alert,
  AppBar,
  Box,
  Button,
  CssBaseline,
  Drawer,
  IconButton,
  List,
  ListItem,
  ListItemButton,
  ListItemIcon,
  ListItemText,
  Link as PlainLink,
  ThemeProvider,
  Toolbar,
  Tooltip,
  Typography,
  useMediaQuery,
} from "@mui/material";
import { createLink, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { useSession } from "../api/session";
import { Controls } from "../controls/Controls";
import { usePanel } from "../panel/usePanel";
import { useView } from "../view/useView";
import type { Search } from "../view/view";
import { keepView } from "./keepView";
import { controlsOf, PAGES, pageOf } from "./pages";
import { TokenDialog } from "./TokenDialog";
import { themeOf } from "./theme";
import { useMode } from "./useMode";

const NAVIGATION_WIDTH = 208;
const WIDE = "(min-width: 1000px)";
// By style, so that no frame is drawn in which the page is narrow already and the navigation still beside it.
const HIDDEN_WHERE_WIDE = { [`@media ${WIDE}`]: { display: "none" } };
const HIDDEN_WHERE_NARROW = { [`@media not all and ${WIDE}`]: { display: "none" } };

const PageLink = createLink(ListItemButton);

export function Shell() {
  const [mode, toggleMode] = useMode();
  const theme = useMemo(() => themeOf(mode), [mode]);
  return (
    <ThemeProvider theme={theme}>
      <CssBaseline enableColorScheme />
      <Frame mode={mode} onToggleMode={toggleMode} />
    </ThemeProvider>
  );
}

function Frame({ mode, onToggleMode }: { mode: "light" | "dark"; onToggleMode: () => void }) {
  const session = useSession();
  const isWide = useMediaQuery(WIDE, { noSsr: true });
  const [isOpen, setIsOpen] = useState(false);
  const [isOtherAsked, setIsOtherAsked] = useState(false);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const page = pageOf(pathname);
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);

  useEffect(() => {
    document.title = page ? `${page.title} · Chartwell` : "Chartwell";
    // Who moves by keyboard or hears the page goes on where the new one begins.
    if (before.current !== pathname) main.current?.focus({ preventScroll: true });
    before.current = pathname;
  }, [pathname, page]);

  const navigation = <Navigation current={page?.path} onChosen={() => setIsOpen(false)} />;
  return (
    <Box sx={{ display: "flex", minHeight: "100vh" }}>
      <PlainLink
        href="#content"
        sx={{
          position: "fixed",
          top: -60,
          left: 8,
          zIndex: 2000,
          p: 1,
          bgcolor: "background.paper",
          ":focus": { top: 8 },
        }}
      >
        Skip to the content
      </PlainLink>
      <AppBar
        position="fixed"
        color="default"
        elevation={0}
        sx={{ borderBottom: 1, borderColor: "divider", zIndex: (theme) => theme.zIndex.drawer + 1 }}
      >
        <Toolbar variant="dense" sx={{ gap: 1 }}>
          <IconButton
            edge="start"
            aria-label="Pages"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
            sx={HIDDEN_WHERE_WIDE}
          >
            <MenuIcon />
          </IconButton>
          <Box component="img" src="/icon.svg" alt="" sx={{ width: 24, height: 24 }} />
          <Typography sx={{ fontWeight: 700, flexGrow: 1 }}>Chartwell</Typography>
          <Who onOther={() => setIsOtherAsked(true)} />
          <Tooltip title={mode === "dark" ? "Light" : "Dark"}>
            <IconButton aria-label={mode === "dark" ? "Light colours" : "Dark colours"} onClick={onToggleMode}>
              {mode === "dark" ? <LightMode /> : <DarkMode />}
            </IconButton>
          </Tooltip>
        </Toolbar>
      </AppBar>
      <Drawer
        variant="permanent"
        sx={{
          ...HIDDEN_WHERE_NARROW,
          width: NAVIGATION_WIDTH,
          flexShrink: 0,
          "& .MuiDrawer-paper": { width: NAVIGATION_WIDTH },
        }}
      >
        <Toolbar variant="dense" />
        {navigation}
      </Drawer>
      <Drawer
        open={isOpen && !isWide}
        onClose={() => setIsOpen(false)}
        sx={{ "& .MuiDrawer-paper": { width: NAVIGATION_WIDTH } }}
      >
        <Toolbar variant="dense" />
        {navigation}
      </Drawer>
      <Box
        component="main"
        id="content"
        ref={main}
        tabIndex={-1}
        sx={{ flexGrow: 1, minWidth: 0, p: { xs: 1.5, sm: 2.5 }, outline: "none" }}
      >
        <Toolbar variant="dense" />
        <Typography variant="h1" sx={{ fontSize: 24, fontWeight: 700, mb: 1.5 }}>
          {page?.title ?? "No such page"}
        </Typography>
        <Problems />
        <Box sx={{ mb: 2 }}>
          <Controls {...controlsOf(page)} />
        </Box>
        <Outlet />
      </Box>
      {(session.state !== "open" || isOtherAsked) && (
        <TokenDialog session={session} onClose={() => setIsOtherAsked(false)} />
      )}
    </Box>
  );
}

function Navigation({ current, onChosen }: { current: string | undefined; onChosen: () => void }) {
  return (
    <Box component="nav" aria-label="Pages">
      <List dense>
        {PAGES.map(({ path, title, icon: Icon }) => (
          <ListItem key={path} disablePadding>
            <PageLink
              to={path as "/"}
              search={keepView as never}
              selected={path === current}
              aria-current={path === current ? "page" : undefined}
              onClick={onChosen}
            >
              <ListItemIcon sx={{ minWidth: 36 }}>
                <Icon fontSize="small" />
              </ListItemIcon>
              <ListItemText primary={title} />
            </PageLink>
          </ListItem>
        ))}
        <ListItem disablePadding sx={{ mt: 2 }}>
          <ListItemButton component="a" href="/docs/">
            <ListItemText primary="API" />
          </ListItemButton>
        </ListItem>
      </List>
    </Box>
  );
}

/** Whose data this is. */
function Who({ onOther }: { onOther: () => void }) {
  const session = useSession();
  const { result } = usePanel({ path: "/api/v1/me" });
  if (session.state !== "open") return null;
  return (
    <>
      <Typography variant="body2" noWrap sx={{ maxWidth: 160 }}>
        {result.data?.account ?? ""}
      </Typography>
      <Button color="inherit" size="small" onClick={onOther} sx={{ flexShrink: 0 }}>
        Other token
      </Button>
    </>
  );
}

/** What of the address was not understood. */
function Problems() {
  const { problems, search } = useView();
  const [dismissed, setDismissed] = useState<Search | null>(null);
  if (problems.length === 0 || dismissed === search) return null;
  return (
    <Alert severity="warning" onClose={() => setDismissed(search)} sx={{ mb: 1.5 }}>
      {problems.map((problem) => (
        <div key={problem}>{problem}</div>
      ))}
    </Alert>
  );
}
