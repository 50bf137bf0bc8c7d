//! The page in a real browser, driven by a script beside the page: a fault is read on it within two seconds, every view
//! is fit for all, and what is pressed happens. The browser is Debian's Chromium; what drives it comes from npm, into
//! the directory of the build.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::apps::file;
use harness::cluster::Dev;
use serde_json::json;

/// The packages that the script needs, and nothing else does.
const TOOLS: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

#[test]
fn a_fault_is_read_on_the_page_within_two_seconds() {
    let test = "a_fault_is_read_on_the_page_within_two_seconds";
    let tools = match tools() {
        Ok(tools) => tools,
        Err(lacking) => return println!("SKIPPED {test}: {lacking}"),
    };
    let mut dev = Dev::new();
    let check = json!({"name": "front page", "protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0,
        "delaySeconds": 0, "intervalSeconds": 1, "timeoutSeconds": 1, "gracePeriodSeconds": 20, "maxConsecutiveFailures": 30});
    let web = json!({"id": "/shop/web", "cmd": "exec cygnet demo http --port $PORT0", "cpus": 0.1, "mem": 16,
        "instances": 3, "healthChecks": [check]});
    dev.start(&[&file(&dev, "web.json", &web)]);
    dev.wait_healthy("shop/web", 3);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/page/tests/browser.mjs");
    let mut browser = Command::new("timeout");
    browser.args(["--kill-after=10", "180", "node"]).arg(script).arg(dev.api.to_string()).arg(&tools);
    // For docs/: the views as they were seen.
    browser.args(env::var_os("CYGNET_SCREENSHOTS"));
    let ran = browser.output().expect("timeout");
    assert!(ran.status.success(), "{}\n{}", told(&ran), dev.output());
    println!("{}", told(&ran));
}

/// The directory of the tools; fetched once.
fn tools() -> Result<PathBuf, &'static str> {
    for (program, lacking) in [("node", "there is no node here"), ("npm", "there is no npm here")] {
        Command::new(program).arg("--version").output().map_err(|_| lacking)?;
    }
    if !["chromium", "chromium-browser", "google-chrome"].iter().any(|name| Path::new("/usr/bin").join(name).exists()) {
        return Err("there is no Chromium here (Debian: chromium)");
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&directory).expect("a directory");
    if !directory.join("node_modules/axe-core/axe.min.js").exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(&directory).args(TOOLS);
        npm.output()
            .ok()
            .filter(|ran| ran.status.success())
            .ok_or("what drives the browser cannot be fetched from npm")?;
    }
    Ok(directory)
}

fn told(ran: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr))
}
