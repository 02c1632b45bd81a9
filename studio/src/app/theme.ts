/** How everything looks, in light and in dark. */
import { createTheme, type PaletteMode } from "@mui/material";

export function themeOf(mode: PaletteMode) {
  const isLight = mode === "light";
  return createTheme({
    palette: {
      mode,
      primary: { main: isLight ? "#0e7490" : "#22d3ee" },
      info: { main: isLight ? "#0369a1" : "#7dd3fc" },
      warning: { main: isLight ? "#9a4a00" : "#fbbf24" },
      background: isLight ? { default: "#f5f7f9", paper: "#ffffff" } : { default: "#0d1418", paper: "#151e24" },
      text: isLight ? { primary: "#15232b", secondary: "#4a5b66" } : { primary: "#e6edf1", secondary: "#a9b8c2" },
    },
    shape: { borderRadius: 8 },
    typography: {
      fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
      button: { textTransform: "none" },
    },
    components: {
      MuiCssBaseline: {
        styleOverrides: {
          ":focus-visible": { outline: `2px solid ${isLight ? "#0e7490" : "#22d3ee"}`, outlineOffset: 2 },
          "@media (prefers-reduced-motion: reduce)": {
            "*, *::before, *::after": {
              animation: "none !important",
              transition: "none !important",
              scrollBehavior: "auto !important",
            },
          },
        },
      },
      MuiTableCell: {
        styleOverrides: {
          sizeSmall: { padding: "6px 8px" },
          // Headers take as little width as their words need.
          head: { verticalAlign: "bottom", lineHeight: 1.3 },
        },
      },
      MuiTableSortLabel: { styleOverrides: { icon: { fontSize: 14, margin: "0 2px" } } },
      MuiButtonBase: { defaultProps: { disableRipple: true } },
      MuiSkeleton: { defaultProps: { animation: "wave" } },
    },
  });
}
