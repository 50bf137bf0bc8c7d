//! Links the program to a fixed address. A shim runs for every task, and a program that can be loaded anywhere has to
//! be patched by each of its processes: hundreds of KiB of memory that nobody shares, for pointers a shim never follows.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
