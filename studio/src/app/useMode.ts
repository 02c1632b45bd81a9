/** Light or dark: as the system has it, until a person chooses. */
import { type PaletteMode, useMediaQuery } from "@mui/material";
import { useState } from "react";

const KEY = "chartwell.mode";

export function useMode(): [PaletteMode, () => void] {
  const system: PaletteMode = useMediaQuery("(prefers-color-scheme: dark)", { noSsr: true }) ? "dark" : "light";
  const [chosen, setChosen] = useState<PaletteMode | null>(stored);
  const mode = chosen ?? system;
  const toggle = () => {
    const next = mode === "dark" ? "light" : "dark";
    setChosen(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Then it is chosen for as long as the page is open.
    }
  };
  return [mode, toggle];
}

function stored(): PaletteMode | null {
  try {
    const mode = localStorage.getItem(KEY);
    return mode === "light" || mode === "dark" ? mode : null;
  } catch {
    return null;
  }
}
