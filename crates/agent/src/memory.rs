//! The memory of a program that the agent itself waits for: an executor with a process of its own, or a container of the
//! operator API.

use containers::cgroup::{Cgroup, CgroupError, MemoryReport, OomWatch};

/// Waits for the end of what runs in a cgroup. If the kernel kills for want of memory meanwhile, or has, `ran_out` is done
/// before that comes back.
pub(crate) async fn watched<T>(
    cgroup: &Cgroup,
    end: impl Future<Output = T>,
    ran_out: impl AsyncFnOnce(MemoryReport),
) -> T {
    tokio::pin!(end);
    tokio::select! {
        biased;
        () = killed(cgroup) => {}
        ended = &mut end => {
            if cgroup.oom_kills().is_ok_and(|kills| kills > 0) {
                tell(cgroup, ran_out).await;
            }
            return ended;
        }
    }
    tell(cgroup, ran_out).await;
    end.await
}

/// Never comes back from a cgroup that cannot be watched.
async fn killed(cgroup: &Cgroup) {
    let watched: Result<(), CgroupError> = async { OomWatch::new(cgroup)?.killed().await }.await;
    if let Err(error) = watched {
        tracing::debug!(cgroup = %cgroup.name().display(), %error, "its memory is not watched");
        std::future::pending().await
    }
}

async fn tell(cgroup: &Cgroup, ran_out: impl AsyncFnOnce(MemoryReport)) {
    match cgroup.memory_report() {
        Ok(report) => ran_out(report).await,
        Err(error) => tracing::warn!(cgroup = %cgroup.name().display(), %error, "memory ran out; how much is unknown"),
    }
}
