//! The corpus is part of this crate: `include_dir` does not see a new file by itself.

fn main() {
    println!("cargo::rerun-if-changed=../tests/cases");
}
