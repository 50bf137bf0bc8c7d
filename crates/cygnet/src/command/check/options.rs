//! The options of each kind of check on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// The question to ask.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// A request over HTTP or HTTPS: healthy is 200 to 399, redirects are followed, certificates are not verified
    Http(Box<Http>),
    /// The gRPC health protocol: healthy is SERVING
    Grpc(Grpc),
    /// Whether a TCP connection can be made; the application never notices
    Tcp(Tcp),
    /// Whether somebody listens, asked of the kernel: nothing is sent at all
    Listen(Listen),
    /// Send bytes and look at the answer, over TCP or UDP
    Exchange(Exchange),
    /// Whether a command exits with 0
    Command(Command),
}

#[derive(Debug, Args)]
pub(super) struct Http {
    /// [http[s]://]HOST[:PORT][/PATH]
    pub url: String,
    /// Instead of GET
    #[arg(short = 'X', long, default_value = "GET")]
    pub method: String,
    /// NAME: VALUE; may be repeated
    #[arg(short = 'H', long, value_name = "HEADER")]
    pub header: Vec<String>,
    /// The Host header, and the name in TLS; that of the URL if absent
    #[arg(long)]
    pub host: Option<String>,
    /// The body to send
    #[arg(short, long, default_value = "", hide_default_value = true)]
    pub data: String,
    /// Healthy statuses: 200-299,404
    #[arg(long, value_name = "RANGES", default_value = "200-399")]
    pub status: String,
    /// Statuses that say nothing about health
    #[arg(long, value_name = "RANGES")]
    pub ignore_status: Option<String>,
    #[command(flatten)]
    pub expect: Expect,
    /// A longer body, in bytes, is a failure
    #[arg(long, value_name = "BYTES", default_value_t = checks::spec::HttpProbe::MAX_BODY)]
    pub max_body: u64,
    /// What to do with a redirect
    #[arg(long, value_enum, default_value_t = RedirectPolicy::Follow)]
    pub redirects: RedirectPolicy,
    /// Keep the connection for the next attempt
    #[arg(long)]
    pub keep_alive: bool,
    /// HTTP/2: over TLS by agreement, else at once
    #[arg(long)]
    pub http2: bool,
    #[command(flatten)]
    pub tls: TlsOptions,
}

/// The treatment of a redirect.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RedirectPolicy {
    /// Ask there; the last answer is judged
    Follow,
    /// Ask there while the host stays the same
    SameHost,
    /// Judge the redirect itself
    Answer,
}

#[derive(Debug, Args)]
pub(super) struct Grpc {
    /// HOST:PORT
    pub address: String,
    /// The service to ask about; the whole server if absent
    #[arg(long, default_value = "", hide_default_value = true)]
    pub service: String,
    /// The authority, and the name in TLS; the address if absent
    #[arg(long, value_name = "NAME")]
    pub authority: Option<String>,
    /// NAME: VALUE, sent with the call; may be repeated
    #[arg(short = 'H', long, value_name = "METADATA")]
    pub metadata: Vec<String>,
    /// With TLS
    #[arg(long)]
    pub tls: bool,
    #[command(flatten)]
    pub settings: TlsOptions,
}

#[derive(Debug, Args)]
pub(super) struct Tcp {
    /// HOST:PORT
    pub address: String,
    /// Make the whole connection: the application accepts it, and finds it reset
    #[arg(long)]
    pub connect: bool,
    /// Do not finish the handshake, which is the default
    #[arg(long, conflicts_with = "connect")]
    pub half_open: bool,
}

#[derive(Debug, Args)]
pub(super) struct Listen {
    /// HOST:PORT, as a client would connect to it
    pub address: String,
    /// A UDP port
    #[arg(long)]
    pub udp: bool,
}

#[derive(Debug, Args)]
pub(super) struct Exchange {
    /// HOST:PORT
    pub address: String,
    /// Datagrams instead of a connection
    #[arg(long)]
    pub udp: bool,
    /// What to send; \r, \n, \t, \0, \\ and \xHH are understood
    #[arg(long, default_value = "", hide_default_value = true)]
    pub send: String,
    #[command(flatten)]
    pub expect: Expect,
}

#[derive(Debug, Args)]
pub(super) struct Command {
    /// A variable above those of this program: NAME=VALUE; may be repeated
    #[arg(short, long, value_name = "VARIABLE")]
    pub env: Vec<String>,
    /// Where to run
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
    /// As whom, by number: UID or UID:GID
    #[arg(long, value_name = "UID[:GID]")]
    pub user: Option<String>,
    /// One word is for the shell; several are a program and its arguments. Behind `--` nothing is an option of this program
    #[arg(required = true)]
    pub argv: Vec<String>,
}

/// The conditions that an answer must meet, all of them.
#[derive(Debug, Args)]
pub(super) struct Expect {
    /// The answer contains this text; may be repeated
    #[arg(long, value_name = "TEXT")]
    pub contains: Vec<String>,
    /// The answer matches this regular expression; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub matches: Vec<String>,
    /// The answer is JSON in which this path (RFC 9535) finds this value: '$.status="up"'; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub json_path: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct TlsOptions {
    /// Verify the certificate, by the authorities this machine trusts
    #[arg(long)]
    pub verify: bool,
    /// Verify the certificate, by the authorities in this PEM file, or because it is itself in there
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    pub ca: Option<PathBuf>,
    /// The name to ask for (SNI) and to verify
    #[arg(long, value_name = "NAME")]
    pub sni: Option<String>,
    /// The PEM file with the certificate to show
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The PEM file with its key
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// A certificate that expires within this time is a failure: 14d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub expires_within: Option<Duration>,
}

impl TlsOptions {
    /// One that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        [
            (self.verify, "--verify"),
            (self.ca.is_some(), "--ca"),
            (self.sni.is_some(), "--sni"),
            (self.cert.is_some(), "--cert"),
            (self.key.is_some(), "--key"),
            (self.expires_within.is_some(), "--expires-within"),
        ]
        .into_iter()
        .find_map(|(is_given, name)| is_given.then_some(name))
    }
}

/// The times to ask at.
#[derive(Debug, Args)]
#[command(next_help_heading = "When")]
pub(super) struct When {
    /// From the start to the first attempt
    #[arg(long, global = true, default_value = "0s", value_parser = humantime::parse_duration)]
    pub delay: Duration,
    /// From the end of an attempt to the next one
    #[arg(long, global = true, default_value = "1s", value_parser = humantime::parse_duration)]
    pub interval: Duration,
    /// How long an attempt may take
    #[arg(long, global = true, default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Each interval is longer by a part of this, another one each time
    #[arg(long, global = true, default_value = "0s", value_parser = humantime::parse_duration)]
    pub jitter: Duration,
    /// The interval while it is unhealthy
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub unhealthy_interval: Option<Duration>,
    /// The interval while the verdict is about to change
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub edge_interval: Option<Duration>,
    /// How many attempts; 0 is until interrupted
    #[arg(long, global = true, default_value_t = 1)]
    pub count: u32,
}

/// The way to judge.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to judge")]
pub(super) struct How {
    /// For how long after the start failures do not count while there was no success
    #[arg(long, global = true, default_value = "0s", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// After how many failures in a row a task would be killed
    #[arg(long, global = true, default_value_t = 1)]
    pub failures: u32,
    /// After how many successes in a row it is healthy
    #[arg(long, global = true, default_value_t = 1)]
    pub successes: u32,
    /// After how many failures in a row it is unhealthy
    #[arg(long, global = true, default_value_t = 1)]
    pub unhealthy_after: u32,
    /// The very first result decides at once
    #[arg(long, global = true)]
    pub first_decides: bool,
    /// Flapping: so many failures among so many attempts are enough, in a row or not: 3/10
    #[arg(long, global = true, value_name = "FAILURES/ATTEMPTS")]
    pub rate: Option<String>,
}

/// The place to ask from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub(super) struct Where {
    /// The namespaces of a process, by its pid, or a network namespace, by its path
    #[arg(long, global = true, value_name = "PID|PATH")]
    pub netns: Option<String>,
    /// The address to connect from
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub source: Option<std::net::IpAddr>,
    /// Go nowhere but to loopback and this network: 10.0.0.0/8; may be repeated
    #[arg(long, global = true, value_name = "NETWORK")]
    pub allow: Vec<checks::spec::Network>,
}

impl Where {
    /// An option that was given and means something only where something is sent.
    pub(super) fn of_senders(&self) -> Option<&'static str> {
        let allow = (!self.allow.is_empty()).then_some("--allow");
        self.source.map(|_| "--source").or(allow)
    }
}
