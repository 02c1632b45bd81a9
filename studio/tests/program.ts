/** A program of its own for the tests: the one that was built last, with a data folder that is thrown away. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM =
  process.env.CHARTWELL_PROGRAM ?? fileURLToPath(new URL("../../target/debug/chartwell", import.meta.url));

export interface Program {
  url: string;
  folder: string;
  stop(): Promise<void>;
}

function environment(folder: string, settings: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME, XDG_CACHE_HOME, CHARTWELL_ENGINE_LIB } = process.env;
  const listen = { CHARTWELL_LISTEN: "127.0.0.1:0", CHARTWELL_DATA_DIR: join(folder, "data") };
  return { PATH, HOME, XDG_CACHE_HOME, CHARTWELL_ENGINE_LIB, ...listen, ...settings };
}

/** Starts it, and waits until it says where it is. */
export async function start(arguments_: string[], settings: Record<string, string> = {}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "chartwell-studio-"));
  const child = spawn(PROGRAM, arguments_, { cwd: folder, env: environment(folder, settings) });
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const url = await toldAddress(child).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    url,
    folder,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function toldAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface(stream).on("line", (line) => {
        lines.push(line);
        const url = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (url) resolve(url);
      });
    }
    child.on("exit", (code) => reject(new Error(`the program ended with ${code}:\n${lines.slice(-20).join("\n")}`)));
  });
}

/** A token that the program signs; `ttl` as `1h`. */
export function token(account: string, scope: string, ttl: string, secret: string): string {
  const folder = mkdtempSync(join(tmpdir(), "chartwell-studio-"));
  const settings = { CHARTWELL_JWT_SECRET: secret, CHARTWELL_ACCOUNTS: account };
  const flags = ["token", "--account", account, "--scope", scope, "--ttl", ttl];
  const told = execFileSync(PROGRAM, flags, { cwd: folder, env: environment(folder, settings), encoding: "utf8" });
  rmSync(folder, { recursive: true, force: true });
  return told.trim();
}
