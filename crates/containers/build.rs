//! Links the tests to a fixed address, as the programs are that start shims: one of them is a shim itself, and measures
//! its memory.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo:rustc-link-arg-tests=-no-pie");
    }
}
