//! The program itself, as a process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::SECRET;

/// A running `chartwell serve`; it is killed when this is dropped.
pub struct Program {
    child: Child,
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Program {
    pub fn start(folder: &Path, account: &str) -> Self {
        Self::start_with(folder, account, &[])
    }

    /// Starts with further settings.
    pub fn start_with(folder: &Path, account: &str, settings: &[(&str, &str)]) -> Self {
        Self::try_start(folder, account, settings).unwrap_or_else(|log| panic!("it ended: {log}"))
    }

    /// Starts under another command.
    pub fn start_under(before: &[String], folder: &Path, account: &str, settings: &[(&str, &str)]) -> Self {
        Self::spawn(before, &["serve"], folder, account, settings).unwrap_or_else(|log| panic!("it ended: {log}"))
    }

    /// Starts `chartwell demo` with these flags.
    pub fn start_demo(folder: &Path, flags: &[&str]) -> Self {
        let words = [&["demo"], flags].concat();
        Self::spawn(&[], &words, folder, "demo", &[]).unwrap_or_else(|log| panic!("it ended: {log}"))
    }

    /// Starts; gives its log when it ends before it listens.
    pub fn try_start(folder: &Path, account: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::spawn(&[], &["serve"], folder, account, settings)
    }

    fn spawn(
        before: &[String],
        command: &[&str],
        folder: &Path,
        account: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self, String> {
        let program = env!("CARGO_BIN_EXE_chartwell");
        // Without an account, those of `chartwell.toml` in the folder.
        let accounts = Some(("CHARTWELL_ACCOUNTS", account)).filter(|_| !account.is_empty());
        let mut words = before.iter().map(String::as_str).chain([program]);
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .args(command)
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .envs(accounts)
            .env("CHARTWELL_JWT_SECRET", SECRET)
            .env("CHARTWELL_LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .env_remove("RUST_BACKTRACE")
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                child.wait().unwrap();
                return Err(log.lock().unwrap().join("\n"));
            };
            log.lock().unwrap().push(line.clone());
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(url) = entry["message"].as_str().and_then(|message| message.strip_prefix("listening on ")) {
                break url.to_owned();
            }
        };
        let rest = Arc::clone(&log);
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| rest.lock().unwrap().push(line)));
        Ok(Self { child, url, log })
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
