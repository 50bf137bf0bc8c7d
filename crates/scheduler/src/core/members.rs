//! Updates of the containers of a pod's instance: each is noted, and their sum is what becomes of the instance.

use health::verdict::healthy;
use mesos::v1::TaskStatus;

use super::Core;
use crate::events;
use crate::ids::InstanceId;
use crate::instance::member;
use crate::time::Now;

impl Core {
    /// An update of the task of one container.
    pub(super) fn member_update(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        self.reconciliation.answered(id);
        self.doubt_kill(id, status.state());
        let Some(known) = self.instances.get(id).and_then(|found| found.member_of(&status.task_id.value)) else {
            return;
        };
        if member::is_still_staging(known, status) {
            return self.note_launch(id, status, now);
        }
        let (name, mut member) = (known.name.clone(), known.clone());
        if !member.note(status, now.wall) {
            return;
        }
        let is_news = member.state() != known.state();
        self.change(id, now, |instance| {
            if let Some(known) = instance.members.iter_mut().find(|known| known.name == name) {
                *known = member;
            }
        });
        self.take_note(id, status, now);
        if let Some(instance) = self.instances.get(id).filter(|_| is_news) {
            self.out.tell(events::status_update(instance, status, now.wall));
        }
        self.members_go_on(id, now);
        if let Some(index) = self.view().spec_of(id).and_then(|app| app.pod()?.check_index(&name)) {
            self.native_health(id, &[index], status, now);
        }
        self.members_end(id, status, now);
        self.part_with_killed(id, now);
    }

    fn members_go_on(&mut self, id: &InstanceId, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        if let Some(next) = member::condition(&instance.members).filter(|next| instance.condition.leads_to(*next)) {
            self.enter(id, next, now);
        }
    }

    /// Once all containers are over, the instance is, as the one that tells most ended.
    fn members_end(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        let Some(one) = member::decisive(&instance.members) else { return };
        let (state, healthy, message) = (one.state().into(), healthy(one.verdict), one.message.clone());
        let task_id = instance.id.member(&one.name, instance.incarnation).into();
        let last = TaskStatus { state, healthy, message: Some(message), task_id, ..status.clone() };
        self.ended_by(id, &last, now);
    }
}
