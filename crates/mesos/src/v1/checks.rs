//! Checks without a result, and as the health checks that ask the same.

use super::health_check::{HttpCheckInfo, TcpCheckInfo};
use super::{CheckInfo, CheckStatusInfo, HealthCheck, check_info, check_status_info};

impl CheckInfo {
    /// The status of this check without a result: its type, and the message of that type with nothing in it.
    #[must_use]
    pub fn empty_status(&self) -> CheckStatusInfo {
        use check_info::Type;
        let mut status = CheckStatusInfo { r#type: self.r#type, ..CheckStatusInfo::default() };
        match self.r#type() {
            Type::Command => status.command = Some(check_status_info::Command::default()),
            Type::Http => status.http = Some(check_status_info::Http::default()),
            Type::Tcp => status.tcp = Some(check_status_info::Tcp::default()),
            Type::Grpc => status.grpc = Some(check_status_info::Grpc::default()),
            Type::Listen => status.listen = Some(check_status_info::Listen::default()),
            Type::Exchange => status.exchange = Some(check_status_info::Exchange::default()),
            Type::Unknown => {}
        }
        status
    }
}

/// The health check that asks the same, as often.
impl From<&CheckInfo> for HealthCheck {
    fn from(check: &CheckInfo) -> HealthCheck {
        let CheckInfo { r#type, command, http, tcp, grpc, listen, exchange, .. } = check.clone();
        HealthCheck {
            r#type,
            command: command.map(|check| check.command),
            http: http.map(|check_info::Http { port, path, scheme, protocol, options }| HttpCheckInfo {
                protocol,
                scheme,
                port,
                path,
                statuses: Vec::new(),
                options,
            }),
            tcp: tcp.map(|check_info::Tcp { port, protocol, options }| TcpCheckInfo { protocol, port, options }),
            grpc,
            listen,
            exchange,
            delay_seconds: check.delay_seconds,
            interval_seconds: check.interval_seconds,
            timeout_seconds: check.timeout_seconds,
            jitter_seconds: check.jitter_seconds,
            ..HealthCheck::default()
        }
    }
}
