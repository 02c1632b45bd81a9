//! A PostgreSQL of a test's own: a cluster in a temporary folder, on a port of loopback.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The password of its superuser.
const PASSWORD: &str = "the superuser's own";

pub struct Postgres {
    programs: PathBuf,
    folder: tempfile::TempDir,
    pub port: u16,
    server: Option<Child>,
}

/// The folder of `initdb` and the others: a distribution does not always have it in the path.
fn programs() -> PathBuf {
    let in_path: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let of_debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut of_debian: Vec<PathBuf> = of_debian.map(|entry| entry.path().join("bin")).collect();
    of_debian.sort();
    // The newest of the distribution, or whatever is in the path.
    let all = of_debian.into_iter().rev().chain(in_path);
    let is_whole = |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).exists());
    let found = all.into_iter().find(is_whole);
    found.expect("PostgreSQL is missing: run `make postgres`")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if is_root() {
            let owned = Command::new("chown").args(["-R", "nobody"]).arg(folder.path()).status().unwrap();
            assert!(owned.success());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut made = Self { programs, folder, port, server: None };
        let initdb = made
            .command("initdb")
            .args([
                "--auth",
                "scram-sha-256",
                "--username",
                "postgres",
                "--encoding",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ])
            .arg("--pgdata")
            .arg(made.data())
            .arg("--pwfile")
            .arg(password)
            .output()
            .unwrap();
        assert!(initdb.status.success(), "{}", String::from_utf8_lossy(&initdb.stderr));
        made.run();
        made
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of its programs. The server refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "nobody", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        command
    }

    /// Starts the server, and waits until it answers.
    pub fn run(&mut self) {
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
            "log_statement=all".to_owned(),
        ];
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.data()).stderr(log).stdout(Stdio::null());
        for setting in &settings {
            server.args(["-c", setting]);
        }
        self.server = Some(server.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(error) = self.try_sql("postgres", "SELECT 1") {
            assert!(Instant::now() < deadline, "{error}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has logged: every statement, too.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    pub fn signal(&self, signal: &str) {
        let server = self.server.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &server]).status().unwrap().success());
    }

    /// Ends the server; its data stays.
    pub fn stop(&mut self) {
        self.signal("-INT");
        self.server.take().unwrap().wait().unwrap();
    }

    /// Runs statements in a database; returns what they print.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.try_sql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn try_sql(&self, database: &str, sql: &str) -> Result<String, String> {
        self.try_sql_as(("postgres", PASSWORD), database, sql)
    }

    /// Runs statements as somebody with a password; returns what they print, or why they fail.
    pub fn try_sql_as(&self, who: (&str, &str), database: &str, sql: &str) -> Result<String, String> {
        let mut client = self.client_as(who, database);
        client.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(told) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// A session that is told statements, one after the other, by its standard input.
    pub fn client(&self, database: &str) -> Child {
        self.client_as(("postgres", PASSWORD), database)
    }

    fn client_as(&self, (user, password): (&str, &str), database: &str) -> Child {
        Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--set", "ON_ERROR_STOP=1"])
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", user, "--dbname", database])
            .env("PGPASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // One that was stopped in the middle goes on, to end.
            for signal in ["-CONT", "-QUIT"] {
                let _ = Command::new("kill").args([signal, &server.id().to_string()]).status();
            }
            let _ = server.wait();
        }
    }
}
