//! Lays the studio where the program takes it in from: what `make` built of `studio/`, or a notice in its place.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let built = Path::new("studio/dist");
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rerun-if-changed=src/studio/notice.html");
    let target = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("studio");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::create_dir_all(&target)?;
    match built.join("index.html").exists() {
        true => copy(built, &target),
        false => fs::copy("src/studio/notice.html", target.join("index.html")).map(drop),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else if !entry.file_name().to_string_lossy().starts_with('.') {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
