//! The page for people, embedded: the files that browsers get below `/ui/`. In: a name. Out: its bytes, their type and
//! their tag. Pure, owns nothing; whoever serves them says so with the headers of HTTP.
//!
//! The files are what is written in `static/`: nothing builds them. They are a client of the public API like any other.

/// One file of the page.
#[derive(Debug)]
pub struct File {
    /// The name below `/ui/`.
    pub name: &'static str,
    /// The media type.
    pub content_type: &'static str,
    /// The contents.
    pub bytes: &'static [u8],
}

/// The policy for what the page may load and who may frame it: its own files, and nobody.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The document that all others belong to.
pub const INDEX: &str = "index.html";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

macro_rules! files {
    ($($name:literal: $content_type:ident),* $(,)?) => {
        &[$(File { name: $name, content_type: $content_type, bytes: include_bytes!(concat!("../static/", $name)) }),*]
    };
}

/// All files of the page.
pub const FILES: &[File] = files! {
    "index.html": HTML,
    "page.css": STYLE,
    "icon.svg": IMAGE,
    "actions.js": SCRIPT,
    "agent.js": SCRIPT,
    "agents.js": SCRIPT,
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "brake.js": SCRIPT,
    "chart.js": SCRIPT,
    "check.js": SCRIPT,
    "checking.js": SCRIPT,
    "clock.js": SCRIPT,
    "consequence.js": SCRIPT,
    "deployments.js": SCRIPT,
    "dialog.js": SCRIPT,
    "differences.js": SCRIPT,
    "edit.js": SCRIPT,
    "ended.js": SCRIPT,
    "events.js": SCRIPT,
    "follow.js": SCRIPT,
    "found.js": SCRIPT,
    "history.js": SCRIPT,
    "html.js": SCRIPT,
    "instance.js": SCRIPT,
    "latencies.js": SCRIPT,
    "list.js": SCRIPT,
    "live.js": SCRIPT,
    "log.js": SCRIPT,
    "logs.js": SCRIPT,
    "main.js": SCRIPT,
    "now.js": SCRIPT,
    "pod.js": SCRIPT,
    "queue.js": SCRIPT,
    "route.js": SCRIPT,
    "row.js": SCRIPT,
    "sign.js": SCRIPT,
    "standing.js": SCRIPT,
    "state.js": SCRIPT,
    "stream.js": SCRIPT,
    "summary.js": SCRIPT,
    "telling.js": SCRIPT,
    "time.js": SCRIPT,
    "undo.js": SCRIPT,
    "versions.js": SCRIPT,
    "window.js": SCRIPT,
    "vendor/preact.js": SCRIPT,
    "vendor/hooks.js": SCRIPT,
    "vendor/htm.js": SCRIPT,
    "vendor/uplot.js": SCRIPT,
    "vendor/uplot.css": STYLE,
    "vendor/THIRD_PARTY": TEXT,
    "vendor/LICENSE-preact": TEXT,
    "vendor/LICENSE-htm": TEXT,
    "vendor/LICENSE-uplot": TEXT,
};

/// The file of this name.
pub fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

impl File {
    /// The tag of its contents, as the header `ETag` carries it; weak, as the bytes may be packed on their way.
    pub fn tag(&self) -> String {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        format!("W/\"{:016x}\"", self.bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix))
    }
}
