//! What every status of a task with a check says before there is a result.

use super::{CheckInfo, CheckStatusInfo, check_info, check_status_info};

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
